"""Copies of what passes, for whoever reads them: the wire file, the child."""

import random
import time
from collections.abc import Sequence
from typing import Protocol

from .counts import Counts
from .frames import HEAD, frame, frame_of
from .stream import Stream

Address = tuple[str, int]


class Sink(Protocol):
    """Where frames go."""

    skipped: int
    connections: int

    def put(self, frames: bytes, is_due: bool = False) -> bool:
        """Takes frames. @returns False when there is no room for them."""


class Strand:
    """What one sink gets of one connection."""

    __slots__ = ("_app_gap", "_client_gap", "_id", "_is_behind", "_opening", "_sink")

    def __init__(self, sink: Sink, number: int, opening: bytes) -> None:
        self._sink = sink
        self._id = number
        # What there was no room for, and has to stand before the next frame: the opening, and a gap of so many bytes.
        self._opening = opening
        self._client_gap = self._app_gap = 0
        self._is_behind = True
        sink.connections += 1
        self.tell()

    @property
    def is_whole(self) -> bool:
        """Whether the sink has everything up to now, since it knows the connection."""
        return not self._is_behind

    def data(self, from_client: bool, data: bytes, length: int) -> None:
        """@param data: a frame that carries so many bytes."""
        if self._put_behind(data) if self._is_behind else self._sink.put(data):
            return
        self._is_behind = True
        self._sink.skipped += length
        if from_client:
            self._client_gap += length
        else:
            self._app_gap += length

    def tell(self, data: bytes = b"") -> bool:
        """Sends a frame that counts no bytes. @returns False when it was left out."""
        if self._is_behind:
            return self._put_behind(data)
        return self._sink.put(data, is_due=True)

    def join(self, opening: bytes) -> None:
        """The sink is new to the connection, and missed its beginning unless nothing has passed yet."""
        is_new = self._opening and not self._client_gap and not self._app_gap
        if not is_new:
            self._opening = opening
        self._client_gap = self._app_gap = 0
        self._is_behind = True
        self.tell()

    def _put_behind(self, data: bytes) -> bool:
        # A sink that knows the connection has to hear how it goes on.
        if not self._sink.put(self._opening + self._gap() + data, is_due=not self._opening and len(data) == HEAD.size):
            return False
        self._opening = b""
        self._client_gap = self._app_gap = 0
        self._is_behind = False
        return True

    def _gap(self) -> bytes:
        if not self._client_gap and not self._app_gap:
            return b""
        return frame_of(b"G", self._id, {"client": self._client_gap, "app": self._app_gap})


class Copies:
    """The copies of one connection."""

    __slots__ = ("_about", "_child", "_copying", "_counts", "_ends", "_id", "_strands")

    def __init__(self, copying: "Copying", number: int, about: dict[str, object], sinks: Sequence[Sink]) -> None:
        self._copying = copying
        self._counts = copying.counts
        self._id = number
        self._about = about
        opening = frame_of(b"O", number, about) if sinks else b""
        self._strands = [Strand(sink, number, opening) for sink in sinks]
        self._child = self._strands[-1] if sinks and sinks[-1] is copying.stream else None
        # The halves that have ended: c, s.
        self._ends: list[bytes] = []

    def data(self, from_client: bool, data: bytes) -> None:
        length = len(data)
        self._counts.bytes += length
        if not self._strands:
            return
        copy = HEAD.pack(b"C" if from_client else b"S", self._id, time.time_ns() // 1000, length) + data
        for strand in self._strands:
            strand.data(from_client, copy, length)

    def end(self, from_client: bool) -> None:
        self._ends.append(b"c" if from_client else b"s")
        self._tell(self._ends[-1])

    def reset(self, by_client: bool) -> None:
        self._tell(b"r" if by_client else b"R")

    def close(self) -> None:
        self._tell(b"X")
        self._copying.open.discard(self)

    def ask(self) -> bool:
        """Asks the child whether the connection is at a boundary. @returns False when it can't hear that now."""
        stream = self._copying.stream
        if not self._child or not stream or not self._child.is_whole:
            return False
        stream.send()
        # A child that is behind would answer late.
        if stream.backlog > 0 or not self._child.tell(frame(b"Q", self._id)):
            return False
        stream.send()
        return True

    def join(self) -> None:
        """There is a new child, which does not know the connection."""
        if not self._child:
            return
        self._child.join(frame_of(b"O", self._id, {**self._about, "joined": True}))
        for kind in self._ends:
            self._child.tell(frame(kind, self._id))

    def _tell(self, kind: bytes) -> None:
        if self._strands:
            told = frame(kind, self._id)
            for strand in self._strands:
                strand.tell(told)


class Copying:
    """Begins the copies of each connection, for the sinks that there are."""

    def __init__(self, counts: Counts, wire: Sink | None, stream: Stream | None, sample: float) -> None:
        """@param sample: the share of connections that is copied, in percent."""
        self.counts = counts
        self.stream = stream
        self._sinks: list[Sink] = [sink for sink in (wire, stream) if sink is not None]
        self._sample = sample
        self._ids = 0
        self.open: set[Copies] = set()

    def number(self) -> int:
        """The number of a new connection."""
        self._ids = self._ids % 0xFFFFFFFF + 1
        return self._ids

    def begin(self, number: int, client: Address, listen: int, app: Address | None) -> Copies:
        """A connection begins; without an app it was refused."""
        about: dict[str, object] = {"client": client, "listen": listen, "server": app}
        is_copied = self._sample >= 100 or random.random() * 100 < self._sample
        if self._sinks and not is_copied:
            self.counts.skipped_connections += 1
        copies = Copies(self, number, about, self._sinks if is_copied else ())
        self.open.add(copies)
        return copies

    def join(self) -> None:
        """There is a new child."""
        for copies in self.open:
            copies.join()
