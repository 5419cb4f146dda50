"""The wire file: every byte that passed, by connection and direction, with its time. docs/wire.md is its format.

A thread writes it, so that a slow disk does not slow the traffic down. What it can't keep up with is left out, and a
gap says how much.
"""

import json
import struct
import threading
import time
from collections import deque
from pathlib import Path
from typing import BinaryIO

HEAD = struct.Struct(">cIQI")

# What may wait for the disk, and how much of it is written at once, in bytes.
BACKLOG = 16 * 1024 * 1024
BATCH = 256 * 1024
# How long a byte may wait before it is written, in s.
WAIT = 0.02


class Writer:
    """Writes frames to a file in the background, up to a size."""

    def __init__(self, path: Path, limit: int, about: dict[str, object]) -> None:
        """@param limit: how many bytes the file may have; what comes later is counted as skipped."""
        self._file: BinaryIO = path.open("wb", buffering=0)
        self._limit = limit
        self._size = 0
        self._ids = 0
        self.connections = 0
        self.skipped = 0
        self._queue: deque[bytes] = deque()
        self._queued = 0
        self._lock = threading.Lock()
        self._filled = threading.Event()
        self._is_closing = False
        self._failure: OSError | None = None
        self._thread = threading.Thread(target=self._run, name="wire", daemon=True)
        self.put(frame(b"H", 0, json.dumps({"wire": 1, **about}).encode()))
        self._thread.start()

    def open(self, client: tuple[str, int], listen: int, app: tuple[str, int] | None) -> "Connection":
        """Begins a connection."""
        self._ids = self._ids % 0xFFFFFFFF + 1
        self.connections += 1
        about = {"client": client, "listen": listen, "server": app}
        return Connection(self, self._ids, frame(b"O", self._ids, json.dumps(about).encode()))

    def put(self, data: bytes) -> bool:
        """Takes frames. @returns False when there is no room for them."""
        length = len(data)
        with self._lock:
            if self._queued + length > BACKLOG or self._size + length > self._limit or self._failure:
                return False
            self._queue.append(data)
            self._queued += length
            self._size += length
            if self._queued > BATCH:
                self._filled.set()
        return True

    def close(self) -> None:
        """Writes what waits, and that the file ends in order."""
        totals = {"connections": self.connections, "skipped": self.skipped}
        with self._lock:
            self._queue.append(frame(b"Z", 0, json.dumps(totals).encode()))
        self._is_closing = True
        self._filled.set()
        self._thread.join()
        self._file.close()

    def _run(self) -> None:
        while True:
            self._filled.wait(WAIT)
            self._filled.clear()
            is_last = self._is_closing
            with self._lock:
                pieces, self._queue = self._queue, deque()
            try:
                self._write(b"".join(pieces))
            except OSError as error:
                # A full disk ends the copies, not the traffic.
                self._failure = error
            with self._lock:
                self._queued -= sum(map(len, pieces))
            if is_last:
                return

    def _write(self, data: bytes) -> None:
        view = memoryview(data)
        while view and not self._failure:
            view = view[self._file.write(view) :]


class Connection:
    """The copies of one connection."""

    __slots__ = ("_id", "_opening", "_skipped", "_writer")

    def __init__(self, writer: Writer, number: int, opening: bytes) -> None:
        self._writer = writer
        self._id = number
        # What there was no room for, and has to stand before the next frame.
        self._opening = opening
        self._skipped = [0, 0]
        self._put(b"")

    def data(self, from_client: bool, data: bytes) -> None:
        head = HEAD.pack(b"C" if from_client else b"S", self._id, time.time_ns() // 1000, len(data))
        if not self._put(head + data):
            self._skipped[0 if from_client else 1] += len(data)
            self._writer.skipped += len(data)

    def end(self, from_client: bool) -> None:
        self._put(frame(b"c" if from_client else b"s", self._id))

    def reset(self, by_client: bool) -> None:
        self._put(frame(b"r" if by_client else b"R", self._id))

    def close(self) -> None:
        self._put(frame(b"X", self._id))

    def _put(self, data: bytes) -> bool:
        if self._opening or any(self._skipped):
            data = self._opening + self._gap() + data
        if not self._writer.put(data):
            return False
        self._opening = b""
        self._skipped = [0, 0]
        return True

    def _gap(self) -> bytes:
        client, app = self._skipped
        return frame(b"G", self._id, json.dumps({"client": client, "app": app}).encode()) if client or app else b""


def frame(kind: bytes, connection: int, payload: bytes = b"") -> bytes:
    """One frame, of now."""
    return HEAD.pack(kind, connection, time.time_ns() // 1000, len(payload)) + payload
