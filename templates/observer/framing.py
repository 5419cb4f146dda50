"""How long the bodies of HTTP/1 are: RFC 9112, section 6.3."""

import re
from typing import Protocol

from .body import Body
from .chunked import ChunkedReader
from .head import Header, HttpError, RequestHead, ResponseHead

CUT = "HTTP/1 protocol error: peer closed connection without sending complete message body"
LENGTH = re.compile(rb"\d{1,15}")


class BodyReader(Protocol):
    """Reads a body: it takes the bytes that belong to it."""

    is_done: bool
    trailers: list[Header] | None

    def read(self, data: bytes | bytearray, at: int) -> int:
        """Reads a part of it. Returns up to where: `at` when it needs more. Raises HttpError for what is none."""

    def cut_message(self) -> str | None:
        """What a message says whose connection ends here; None when that is how it ends."""


def find_request_body(head: RequestHead, body: Body) -> BodyReader | None:
    """How a request's body is to be read; None when it has none. Raises HttpError when that can't be known."""
    coding = find_coding(head.headers)
    if coding == b"chunked":
        return ChunkedReader(body)
    if coding is not None:
        raise HttpError("the transfer coding of a request is not chunked")
    length = find_length(head.headers)
    return LengthReader(body, length) if length else None


def find_response_body(method: bytes, head: ResponseHead, body: Body) -> BodyReader | None:
    """How a response's body is to be read; None when it has none. Raises HttpError as for a request."""
    verb = method.upper()
    if verb == b"HEAD" or head.status < 200 or head.status in (204, 304):
        return None
    if verb == b"CONNECT" and head.status < 300:
        return None
    coding = find_coding(head.headers)
    if coding is not None:
        return ChunkedReader(body) if coding == b"chunked" else RestReader(body)
    length = find_length(head.headers)
    if length is None:
        return RestReader(body)
    return LengthReader(body, length) if length else None


def find_tokens(headers: list[Header], name: bytes) -> list[bytes]:
    """The values of a header, in lower case and cut at commas. `name` is in lower case."""
    size = len(name)
    values = [value for key, value in headers if len(key) == size and key.lower() == name]
    return [token.strip().lower() for value in values for token in value.split(b",")]


def find_coding(headers: list[Header]) -> bytes | None:
    """The last transfer coding. `identity` was one once, and meant none."""
    codings = [coding for coding in find_tokens(headers, b"transfer-encoding") if coding not in (b"identity", b"")]
    return codings[-1] if codings else None


def find_length(headers: list[Header]) -> int | None:
    lengths = set(find_tokens(headers, b"content-length"))
    if not lengths:
        return None
    length = lengths.pop()
    if lengths or not LENGTH.fullmatch(length):
        raise HttpError("invalid content-length header")
    return int(length)


class LengthReader:
    """A body with a Content-Length."""

    __slots__ = ("_body", "_left", "_length", "is_done", "trailers")

    def __init__(self, body: Body, length: int) -> None:
        self._body = body
        self._length = length
        self._left = length
        self.is_done = False
        self.trailers: list[Header] | None = None

    def read(self, data: bytes | bytearray, at: int) -> int:
        piece = bytes(data[at : at + self._left])
        self._body.add(piece)
        self._left -= len(piece)
        self.is_done = self._left == 0
        return at + len(piece)

    def cut_message(self) -> str | None:
        return f"{CUT} (received {self._length - self._left} bytes, expected {self._length})"


class RestReader:
    """A body that ends with the connection."""

    __slots__ = ("_body", "is_done", "trailers")

    def __init__(self, body: Body) -> None:
        self._body = body
        self.is_done = False
        self.trailers: list[Header] | None = None

    def read(self, data: bytes | bytearray, at: int) -> int:
        self._body.add(bytes(data[at:]))
        return len(data)

    def cut_message(self) -> str | None:
        return None
