"""Messages between the door and its child: JSON, one object a message, over a socket that keeps them apart."""

import array
import contextlib
import json
import socket
import time
from collections.abc import Callable, Sequence
from typing import Any

from .loop import READ, Loop

# The largest message, in bytes.
LARGEST = 128 * 1024
# How often the child is asked whether it is there, in s; it is stalled when it has not answered for so long.
PING = 0.5
STALLED = 2.0
# How many pings may be on their way: one that is stopped has to answer them all when it goes on.
PINGS = 8

Message = dict[str, Any]


class Control:
    """Talks with the child that runs now, and knows whether it answers."""

    def __init__(self, loop: Loop, on_gone: Callable[[], None]) -> None:
        """@param on_gone: is called when the child has closed its end."""
        self._loop = loop
        self._on_gone = on_gone
        self._handlers: dict[str, Callable[[Message], None]] = {}
        self._sock: socket.socket | None = None
        self._ping = self._pong = 0
        self._heard = 0.0
        # Whether the child that runs now has said its lane, without which it is not ready; whether any has.
        self.is_ready = self.has_been_ready = False
        self.is_stalled = False

    @property
    def is_answering(self) -> bool:
        """Whether the child can be asked for something."""
        return self.is_ready and not self.is_stalled

    def on(self, key: str, handle: Callable[[Message], None]) -> None:
        """Calls `handle` with each message that has this key."""
        self._handlers[key] = handle

    def attach(self, sock: socket.socket) -> None:
        """Talks with a new child from now on."""
        sock.setblocking(False)
        self._sock = sock
        self._ping = self._pong = 0
        self.is_ready = self.is_stalled = False
        self._loop.watch(sock.fileno(), READ, lambda _: self.hear())

    def detach(self) -> None:
        """Hears what the child has said to the end, and closes."""
        self.hear()
        if self._sock is None:
            return
        self._loop.forget(self._sock.fileno())
        self._sock.close()
        self._sock = None
        self.is_ready = self.is_stalled = False

    def send(self, message: Message, data: bytes | None = None, files: Sequence[int] = ()) -> bool:
        """Sends a message, without waiting. @returns False when the child can't take it now.

        @param data: follows the message, after a newline.
        @param files: descriptors that the child gets copies of.
        """
        if self._sock is None:
            return False
        text = json.dumps(message).encode()
        pieces = [text] if data is None else [text, b"\n", data]
        rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", files))] if files else []
        try:
            self._sock.sendmsg(pieces, rights)
        except OSError:
            return False
        return True

    def hear(self) -> None:
        """Handles what has come."""
        while self._sock is not None:
            try:
                data = self._sock.recv(LARGEST)
            except BlockingIOError:
                return
            except OSError:
                data = b""
            if not data:
                self._loop.forget(self._sock.fileno())
                self._sock.close()
                self._sock = None
                self.is_ready = self.is_stalled = False
                self._on_gone()
                return
            self._handle(data)

    def _handle(self, data: bytes) -> None:
        message: object = None
        with contextlib.suppress(ValueError, RecursionError):  # A script of the user's may write there, too.
            message = json.loads(data)
        if not isinstance(message, dict):
            return
        if "pong" in message:
            self._note_pong(message["pong"])
        if "lane" in message:
            self._note_ready()
        for key in message:
            handle = self._handlers.get(key)
            if handle is not None:
                handle(message)

    def _note_ready(self) -> None:
        if not self.is_ready:
            self.is_ready = self.has_been_ready = True
            self._heard = time.monotonic()
            self._ask()

    def _note_pong(self, number: object) -> None:
        if isinstance(number, int) and self._pong < number <= self._ping:
            self._pong = number
            self._heard = time.monotonic()
            self.is_stalled = False

    def _ask(self) -> None:
        """Pings, and judges by what has been heard."""
        sock = self._sock
        self.hear()
        if not self.is_ready or self._sock is not sock:
            return
        self.is_stalled = time.monotonic() - self._heard > STALLED
        if self._ping - self._pong < PINGS and self.send({"ping": self._ping + 1}):
            self._ping += 1
        self._loop.after(PING, lambda: self._ask_again(sock))

    def _ask_again(self, sock: socket.socket | None) -> None:
        """Unless there is a new child, which is asked by itself."""
        if self._sock is sock:
            self._ask()
