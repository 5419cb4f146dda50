"""One connection: a client, the app, and the bytes between them.

What one side does, the other side sees: bytes, the end of sending (FIN), a reset (RST). When one of them does not read,
the other has to wait. Nothing else is done to what passes.
"""

import contextlib
import socket
from collections import deque
from collections.abc import Callable
from typing import Protocol

from .loop import BROKEN, READ, WRITE, Loop
from .sockets import AGAIN, is_open_both_ways, is_silent, reset, undelivered

# How much waits for a side that does not read before the other side is no longer read, in bytes; and when it is again.
HIGH_WATER = 256 * 1024
LOW_WATER = 64 * 1024
# The first read of a connection is of this size; a read that fills its size doubles it.
SMALLEST_READ = 16 * 1024
LARGEST_READ = 256 * 1024

# How long the kernel may take to deliver what a side is owed before that side is reset, and how often to look, in s.
DELIVERY = 2.0
DELIVERY_LOOK = 0.005


class Copies(Protocol):
    """Whoever wants to know what passes on one connection."""

    def data(self, from_client: bool, data: bytes) -> None:
        """These bytes have come."""

    def end(self, from_client: bool) -> None:
        """That side will send no more."""

    def reset(self, by_client: bool) -> None:
        """That side has reset the connection."""

    def close(self) -> None:
        """The connection is over."""


# Sees what a side has sent before it is passed on (whether it's the client's, the bytes), and returns what is passed.
Gate = Callable[[bool, bytes], bytes]


class Side:
    """One of the two sockets of a connection."""

    __slots__ = (
        "end_due",
        "ended",
        "events",
        "fd",
        "handle",
        "held",
        "read_size",
        "refused",
        "shut",
        "size",
        "sock",
        "waiting",
    )

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.fd = sock.fileno()
        self.handle: Callable[[int], None] = lambda _: None
        # What is still to be sent to this side, and its length.
        self.waiting: deque[bytes] = deque()
        self.size = 0
        self.events: int | None = None
        self.read_size = SMALLEST_READ
        # This side will send no more; we send it no more; it is to hear that once nothing waits.
        self.ended = False
        self.shut = False
        # It has taken no more, which a reset of its own has caused.
        self.refused = False
        self.end_due = False
        # It is not read for now.
        self.held = False


class Relay:
    """Relays one connection until both sides have ended, or one has reset it."""

    def __init__(
        self, loop: Loop, client: socket.socket, app: socket.socket, copies: Copies, on_close: Callable[[], None]
    ) -> None:
        self._loop = loop
        self._copies = copies
        self._on_close = on_close
        self.client = Side(client)
        self.app = Side(app)
        # Whoever has to see each piece before it passes.
        self.gate: Gate | None = None
        # Another process may have the client's socket, too.
        self.is_shared = False
        self._is_finished = self._is_over = self._closed = False
        for side in (self.client, self.app):
            side.handle = self._handler(side)
            self._watch(side, READ)

    def _handler(self, side: Side) -> Callable[[int], None]:
        other = self._other(side)

        def handle(events: int) -> None:
            if events & WRITE:
                self._flush(side, other)
            # An error is found by reading, after all that has come before it.
            if events & (READ | BROKEN) and not self._closed:
                self._read(side, other)

        return handle

    def _read(self, side: Side, other: Side) -> None:
        if side.ended:
            # It has closed altogether, and what was sent to it since made its kernel reset the connection.
            if side.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) != 0:
                self._reset(side, other)
            else:
                self._watch(side, None)
            return
        try:
            data = side.sock.recv(side.read_size)
        except OSError as error:
            if error.errno not in AGAIN:
                self._reset(side, other)
            return
        if not data:
            # The kernel tells of a reset once: writing may have heard of it, and reading then finds an end.
            (self._reset if side.refused else self._end)(side, other)
            return
        if len(data) == side.read_size and side.read_size < LARGEST_READ:
            side.read_size *= 2
        gate = self.gate
        if gate is not None:
            data = gate(side is self.client, data)
            if not data:
                return
        self._copies.data(side is self.client, data)
        self._send(side, other, data)

    def pass_on(self, from_client: bool, data: bytes) -> None:
        """Sends to the other side, as if that side had sent it."""
        side = self.client if from_client else self.app
        other = self._other(side)
        if not self._is_over and not other.shut:
            self._copies.data(from_client, data)
            self._send(side, other, data)

    def hold(self, *sides: Side) -> None:
        """Reads these sides no more, until `release`."""
        for side in sides:
            side.held = True
            self._want(side)

    def release(self) -> None:
        """Ends `hold`."""
        for side in (self.client, self.app):
            side.held = False
        if not self._is_over:
            self._want(self.client)
            self._want(self.app)

    @property
    def is_quiet(self) -> bool:
        """Whether both sides may still send, and nothing of what they have sent is still here or on its way to here."""
        client, app = self.client, self.app
        is_over = self._is_over or client.ended or client.shut or app.ended or app.shut
        if is_over or client.waiting or app.waiting:
            return False
        return is_open_both_ways(client.sock) and is_silent(app.sock)

    def _send(self, side: Side, other: Side, data: bytes) -> None:
        """Sends to `other` what `side` sent."""
        if other.shut:
            if self._is_finished:
                self.abort()
            return
        if not other.waiting:
            sent = self._try_to_send(other, data)
            if sent == len(data):
                return
            data = data[sent:]
        if other.shut:
            return
        other.waiting.append(data)
        other.size += len(data)
        self._want(other)
        if other.size > HIGH_WATER:
            self._want(side)

    def _try_to_send(self, to: Side, data: bytes) -> int:
        try:
            return to.sock.send(data)
        except OSError as error:
            if error.errno not in AGAIN:
                self._refused(to)
            return 0

    def _refused(self, to: Side) -> None:
        """A side takes no more. What it has sent before is still to be read: an early answer, then the reset."""
        to.shut = to.refused = True
        to.waiting.clear()
        to.size = 0
        if to.ended:
            self._reset(to, self._other(to))

    def _other(self, side: Side) -> Side:
        return self.app if side is self.client else self.client

    def _send_waiting(self, side: Side) -> None:
        """Sends to a side what waits for it, as far as it takes that now."""
        while side.waiting:
            data = side.waiting.popleft()
            sent = self._try_to_send(side, data)
            if side.shut:
                return
            side.size -= sent
            if sent < len(data):
                side.waiting.appendleft(data[sent:])
                return

    def _flush(self, side: Side, other: Side) -> None:
        """Sends to `side` what waits for it, and goes on with what that makes possible."""
        self._send_waiting(side)
        if self._is_over:
            return
        if side.end_due and not side.waiting:
            self._shut(side)
        self._want(side)
        if side.size < LOW_WATER:
            self._want(other)
        self._close_when_over()

    def _end(self, side: Side, other: Side) -> None:
        """`side` will send no more; `other` hears of it after all that was sent before."""
        side.ended = True
        self._copies.end(side is self.client)
        self._want(side)
        if other.waiting:
            other.end_due = True
        else:
            self._shut(other)
        self._close_when_over()

    def _shut(self, side: Side) -> None:
        side.end_due = False
        if side.shut:
            return
        side.shut = True
        with contextlib.suppress(OSError):  # It is gone, which reading it tells.
            side.sock.shutdown(socket.SHUT_WR)
        self._want(side)

    def _close_when_over(self) -> None:
        client, app = self.client, self.app
        if client.ended and app.ended and not client.waiting and not app.waiting:
            self._close()

    def _reset(self, side: Side, other: Side) -> None:
        """`side` has reset the connection, so `other` is, once it has all that was sent to it before."""
        if self._is_over:
            return
        self._is_over = True
        self._copies.reset(side is self.client)
        side.ended = side.shut = True
        side.waiting.clear()
        side.size = 0
        self._watch(side, None)
        self._reset_when_delivered(other, int(DELIVERY / DELIVERY_LOOK))

    def _reset_when_delivered(self, side: Side, looks: int) -> None:
        """A reset throws away what the kernel has not yet delivered, which the peer would have had without us."""
        if self._closed:
            return
        self._send_waiting(side)
        if looks > 0 and not side.shut and (side.waiting or undelivered(side.sock) > 0):
            self._watch(side, None)
            self._loop.after(DELIVERY_LOOK, lambda: self._reset_when_delivered(side, looks - 1))
            return
        self._close(side)

    def _want(self, side: Side) -> None:
        """Waits for what concerns a side now: that it can be read, when the other takes it; that it can be written."""
        is_paused = side.held or self._other(side).size > HIGH_WATER
        events = (WRITE if side.waiting else 0) | (0 if side.ended or is_paused else READ)
        # epoll tells of errors unasked, which is wanted of a side that has ended and may still reset the connection. Of
        # one that is paused, or has ended both ways, it would tell the same again and again.
        is_deaf = events == 0 and (side.shut or not side.ended)
        self._watch(side, None if is_deaf else events)

    def _watch(self, side: Side, events: int | None) -> None:
        if self._closed or events == side.events:
            return
        if events is None:
            self._loop.forget(side.fd)
        elif side.events is None:
            self._loop.watch(side.fd, events, side.handle)
        else:
            self._loop.change(side.fd, events)
        side.events = events

    @property
    def is_answered(self) -> bool:
        """Whether the app has ended, and the client has all that it sent."""
        return self.app.ended and not self.client.waiting

    def finish(self) -> None:
        """Ends both sides, once they have what waits for them; whoever then sends more is reset, as by any server."""
        self._is_finished = True
        for side in (self.client, self.app):
            if side.waiting:
                side.end_due = True
            elif not self._is_over:
                self._shut(side)

    def abort(self) -> None:
        """Resets both sides."""
        self._close(self.client, self.app)

    def leave(self) -> None:
        """Gives up both sides without a word to the client, whom somebody else serves from now on."""
        self._close()

    def _close(self, *resets: Side) -> None:
        if self._closed:
            return
        for side in (self.client, self.app):
            self._watch(side, None)
            if side in resets:
                reset(side.sock, is_shared=self.is_shared and side is self.client)
            else:
                side.sock.close()
        self._is_over = self._closed = True
        self._copies.close()
        self._on_close()
