"""The wire file: every byte that passed, by connection and direction, with its time. docs/wire.md is its format.

A thread writes it, so that a slow disk does not slow the traffic down. What it can't keep up with is left out, and a
gap says how much.
"""

import threading
from collections import deque
from pathlib import Path
from typing import BinaryIO

from .frames import frame_of

# What may wait for the disk, and how much of it is written at once, in bytes.
BACKLOG = 16 * 1024 * 1024
BATCH = 256 * 1024
# How long a byte may wait before it is written, in s.
WAIT = 0.02


class Writer:
    """Writes frames to a file in the background, up to a size."""

    def __init__(self, path: Path, limit: int, opening: bytes) -> None:
        """@param limit: how many bytes the file may have; what comes later is counted as skipped.
        @raises OSError when the file can't be written.
        """
        self._file: BinaryIO = path.open("wb", buffering=0)
        self._limit = limit
        self._size = 0
        self.connections = 0
        self.skipped = 0
        self._queue: deque[bytes] = deque()
        self._queued = 0
        self._lock = threading.Lock()
        self._filled = threading.Event()
        self._is_closing = False
        self._failure: OSError | None = None
        self._thread = threading.Thread(target=self._run, name="wire", daemon=True)
        self.put(opening)
        self._thread.start()

    @property
    def is_closed(self) -> bool:
        return self._file.closed

    def put(self, frames: bytes, is_due: bool = False) -> bool:
        """Takes frames. @returns False when there is no room for them."""
        length = len(frames)
        with self._lock:
            if self._queued + length > BACKLOG or self._size + length > self._limit or self._failure:
                return False
            self._queue.append(frames)
            self._queued += length
            self._size += length
            if self._queued > BATCH:
                self._filled.set()
        return True

    def close(self) -> None:
        """Writes what waits, and that the file ends in order."""
        totals: dict[str, object] = {"connections": self.connections, "skipped": self.skipped}
        with self._lock:
            self._queue.append(frame_of(b"Z", 0, totals))
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
