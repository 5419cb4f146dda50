"""Copies on their way to the child, over a socket that it reads when it can."""

import socket
from collections import deque

from .loop import READ, WRITE, Loop

# What may wait for the child, and how much of it is sent at once, in bytes.
BACKLOG = 24 * 1024 * 1024
BATCH = 64 * 1024
# How long a byte may wait before it is sent, in s.
WAIT = 0.02


class Stream:
    """Sends frames to the child that runs now. What finds no room is left out: traffic never waits for it."""

    def __init__(self, loop: Loop, opening: bytes) -> None:
        """@param opening: the frame with which each child is greeted."""
        self._loop = loop
        self._opening = opening
        self.skipped = 0
        self.connections = 0
        self._sock: socket.socket | None = None
        self._queue: deque[bytes] = deque()
        self._queued = 0
        self._is_blocked = self._is_timed = self._is_ending = False

    @property
    def backlog(self) -> int:
        """How many bytes wait."""
        return self._queued

    @property
    def is_attached(self) -> bool:
        return self._sock is not None

    def attach(self, sock: socket.socket) -> None:
        """Sends to a new child from now on."""
        sock.setblocking(False)
        self._sock = sock
        # Nothing is read: the child closes its end when it is gone.
        self._loop.watch(sock.fileno(), READ, self._ready)
        self.put(self._opening)

    def detach(self) -> None:
        """The child is gone, and what waits for it with it."""
        if self._sock is None:
            return
        self._loop.forget(self._sock.fileno())
        self._sock.close()
        self._sock = None
        self._queue.clear()
        self._queued = 0
        self._is_blocked = False

    def end(self) -> None:
        """Closes once everything has been sent."""
        self._is_ending = True
        self.send()

    def put(self, frames: bytes, is_due: bool = False) -> bool:
        """Takes frames. @returns False when there is no room for them.

        @param is_due: the child waits for them, as for the end of a connection that it knows: they are few and small,
        and always find room.
        """
        if self._sock is None or (self._queued > BACKLOG and not is_due):
            return False
        self._queue.append(frames)
        self._queued += len(frames)
        if self._is_blocked:
            return True
        if self._queued >= BATCH:
            self.send()
        elif not self._is_timed:
            self._is_timed = True
            self._loop.after(WAIT, self._send_in_time)
        return True

    def send(self) -> None:
        """Sends what waits, as far as it is taken."""
        sock = self._sock
        while sock and self._queue:
            data = self._take()
            try:
                sent = sock.send(data)
            except BlockingIOError:
                sent = 0
            except OSError:
                self.detach()
                return
            self._queued -= sent
            if sent < len(data):
                self._queue.appendleft(data[sent:])
                self._block(True)
                return
        self._block(False)
        if self._is_ending:
            self.detach()

    def _take(self) -> bytes:
        """The next batch."""
        pieces = [self._queue.popleft()]
        length = len(pieces[0])
        while self._queue and length < BATCH:
            pieces.append(self._queue.popleft())
            length += len(pieces[-1])
        return b"".join(pieces)

    def _block(self, is_blocked: bool) -> None:
        if self._sock and is_blocked != self._is_blocked:
            self._is_blocked = is_blocked
            self._loop.change(self._sock.fileno(), READ | WRITE if is_blocked else READ)

    def _send_in_time(self) -> None:
        self._is_timed = False
        if not self._is_blocked:
            self.send()

    def _ready(self, events: int) -> None:
        if events & ~WRITE:
            self.detach()
        else:
            self.send()
