"""The socket to the door, which started this mitmproxy: what the two tell each other."""

import asyncio
import json
import os
import socket
from array import array
from collections.abc import Callable
from typing import Any

from . import contract

# The longest message, in bytes: a connection that is handed over comes with what its client has sent.
LONGEST = 128 * 1024

Message = dict[str, Any]
Handler = Callable[[Message, bytes, list[int]], object]


class Control:
    """Sends and receives JSON objects, one a message. Descriptors and bytes can come with one that is received.

    Each message is handled by its key: {"ping": 7} by the handler of "ping".
    """

    name = "mittens-control"

    def __init__(self, sock: socket.socket | None = None) -> None:
        """@param sock: of SOCK_SEQPACKET; by default the one that the door has left open."""
        self.sock = sock or inherited()
        self.handlers: dict[str, Handler] = {"ping": self.answer}

    def on(self, key: str, handler: Handler) -> None:
        self.handlers[key] = handler

    def running(self) -> None:
        if self.sock:
            asyncio.get_running_loop().add_reader(self.sock.fileno(), self.receive)

    def send(self, message: Message) -> None:
        """Does nothing once the door has gone."""
        if not self.sock:
            return
        try:
            # The door always reads, so that this waits for a moment at most.
            self.sock.send(json.dumps(message).encode())
        except OSError:
            self.close()

    def receive(self) -> None:
        """Handles all messages that have come."""
        while self.sock and self.receive_one(self.sock):
            pass

    def receive_one(self, sock: socket.socket) -> bool:
        """@returns whether there was one."""
        try:
            data, descriptors = receive_without_waiting(sock)
        except BlockingIOError:
            return False
        except OSError:
            data, descriptors = b"", []
        if not data:
            self.close()
            return False
        text, _, rest = data.partition(b"\n")
        message = json.loads(text)
        for key in message.keys() & self.handlers.keys():
            self.handlers[key](message, rest, descriptors)
        return True

    def close(self) -> None:
        if self.sock:
            asyncio.get_running_loop().remove_reader(self.sock.fileno())
            self.sock.close()
            self.sock = None

    def answer(self, message: Message, _: bytes, __: list[int]) -> None:
        self.send({"pong": message["ping"]})


def receive_without_waiting(sock: socket.socket) -> tuple[bytes, list[int]]:
    """A message and the descriptors that came with it. Python's own recv_fds waits, whatever its flags say."""
    descriptors = array("i")
    space = socket.CMSG_SPACE(descriptors.itemsize)
    data, ancillary, _, _ = sock.recvmsg(LONGEST, space, socket.MSG_DONTWAIT | socket.MSG_CMSG_CLOEXEC)
    for level, kind, payload in ancillary:
        if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
            descriptors.frombytes(payload[: len(payload) // descriptors.itemsize * descriptors.itemsize])
    return data, list(descriptors)


def inherited() -> socket.socket | None:
    number = os.environ.get(contract.CONTROL)
    return socket.socket(fileno=int(number)) if number else None
