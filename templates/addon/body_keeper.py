"""What is kept of a body that passes as a stream."""

from dataclasses import dataclass

from mitmproxy.http import Message

from . import limits


@dataclass
class Kept:
    """What is kept of all streams that are open, in bytes."""

    size: int = 0


class BodyKeeper:
    """mitmproxy calls it for each piece of a streamed body. It passes the piece, and keeps what fits."""

    def __init__(self, message: Message, kept_of_all: Kept) -> None:
        self.message = message
        self.kept_of_all = kept_of_all
        self.kept = bytearray()
        self.passed = 0
        self.is_open = True

    def __call__(self, data: bytes) -> list[bytes]:
        if self.is_open:
            if not self.is_cut():
                self.keep(data)
            self.passed += len(data)
        # An empty piece would end a chunked body.
        return [data] if data else []

    def is_cut(self) -> bool:
        return self.passed > len(self.kept)

    def keep(self, data: bytes) -> None:
        room = max(0, min(limits.STREAM_BYTES - self.passed, limits.STREAMS_BYTES - self.kept_of_all.size))
        self.kept += data[:room]
        self.kept_of_all.size += len(data[:room])

    def show(self) -> bool:
        """Puts what is kept into the flow. Returns whether there is more than before."""
        shown = self.message.raw_content
        if shown is not None and len(shown) == len(self.kept):
            return False
        # Unlike content, this leaves the headers as they are.
        self.message.raw_content = bytes(self.kept)
        return True

    def close(self) -> None:
        """Keeps no more, and leaves room for others."""
        if self.is_open:
            self.is_open = False
            self.kept_of_all.size -= len(self.kept)
