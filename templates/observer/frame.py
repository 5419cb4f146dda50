"""Frames: docs/wire.md."""

from collections.abc import Iterator
from struct import Struct
from typing import NamedTuple

HEAD = Struct(">cIQI")
TYPES = frozenset("HOCScsrRXGZQ")
# The door writes no longer payload; a longer one is damage.
MAX_PAYLOAD = 16 * 1024 * 1024


class FrameError(Exception):
    """What is not a frame, in words."""


class Frame(NamedTuple):
    type: str
    connection: int
    time: float
    """Seconds since 1970."""
    payload: bytes


class FrameReader:
    """Cuts what comes in chunks of any length into frames."""

    def __init__(self) -> None:
        self._unread = bytearray()
        self._wanted = HEAD.size

    def push(self, chunk: bytes) -> Iterator[Frame]:
        """Takes a chunk and gives the frames that are whole with it. Raises FrameError for bytes that are none."""
        self._unread += chunk
        if len(self._unread) < self._wanted:
            return
        data = bytes(self._unread)
        self._unread.clear()
        at = 0
        try:
            while True:
                frame, length = self._parse(data, at)
                if frame is None:
                    self._wanted = length
                    return
                at += length
                yield frame
        finally:
            self._unread[:0] = data[at:]

    def _parse(self, data: bytes, at: int) -> tuple[Frame | None, int]:
        """Returns the frame and its length, or how many bytes there must be of it to go on."""
        if len(data) < at + HEAD.size:
            return None, HEAD.size
        kind, connection, time, length = HEAD.unpack_from(data, at)
        type = kind.decode("latin-1")
        if type not in TYPES:
            raise FrameError("no frame begins here")
        if length > MAX_PAYLOAD:
            raise FrameError(f"a frame of {length} bytes")
        start = at + HEAD.size
        if len(data) < start + length:
            return None, HEAD.size + length
        return Frame(type, connection, time / 1e6, data[start : start + length]), HEAD.size + length
