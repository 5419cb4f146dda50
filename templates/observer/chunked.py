"""Bodies in chunks: RFC 9112, section 7.1."""

import re
from typing import Literal

from .body import Body
from .head import Header, HeadScanner, HttpError, parse_headers, quote

# A chunk's size with its extensions: longer lines are not looked at.
MAX_LINE = 16 * 1024
SIZE = re.compile(rb"([0-9a-f]{1,13})[ \t]*(?:;|\r?\Z)", re.IGNORECASE)
LINE_END = re.compile(rb"\r?\n")
CUT = "HTTP/1 protocol error: peer closed connection without sending complete message body (incomplete chunked read)"


class ChunkedReader:
    """Reads chunks. Extensions are left out."""

    __slots__ = ("_body", "_left", "_scanner", "_state", "is_done", "trailers")

    def __init__(self, body: Body) -> None:
        self._body = body
        self._scanner = HeadScanner()
        self._state: Literal["size", "data", "line end", "trailers"] = "size"
        # Of the chunk that is read.
        self._left = 0
        self.is_done = False
        self.trailers: list[Header] | None = None

    def cut_message(self) -> str | None:
        return CUT

    def read(self, data: bytes | bytearray, at: int) -> int:
        """Raises HttpError for what are not chunks."""
        if self._state == "size":
            return self._read_size(data, at)
        if self._state == "data":
            return self._read_data(data, at)
        if self._state == "line end":
            return self._read_line_end(data, at)
        return self._read_trailers(data, at)

    def _read_size(self, data: bytes | bytearray, at: int) -> int:
        end = data.find(b"\n", at, at + MAX_LINE)
        if end < 0 and len(data) - at < MAX_LINE:
            return at
        match = SIZE.match(data, at, max(end, at))
        if not match:
            raise HttpError(f"illegal chunk header: {quote(bytes(data[at : at + MAX_LINE if end < 0 else end]))}")
        self._left = int(match[1], 16)
        self._state = "data" if self._left else "trailers"
        return end + 1

    def _read_data(self, data: bytes | bytearray, at: int) -> int:
        piece = bytes(data[at : at + self._left])
        self._body.add(piece)
        self._left -= len(piece)
        if self._left == 0:
            self._state = "line end"
        return at + len(piece)

    def _read_line_end(self, data: bytes | bytearray, at: int) -> int:
        match = LINE_END.match(data, at)
        if match:
            self._state = "size"
            return match.end()
        if data[at:] == b"\r":
            return at
        raise HttpError("a chunk does not end where its size says")

    def _read_trailers(self, data: bytes | bytearray, at: int) -> int:
        match = LINE_END.match(data, at)
        if match:
            self.is_done = True
            return match.end()
        end = 0 if data[at:] == b"\r" else self._scanner.find(data, at)
        if end:
            self.trailers = parse_headers(bytes(data[at:end]).split(b"\n"))
            self.is_done = True
        return end or at
