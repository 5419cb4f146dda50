"""Heads of HTTP/1."""

import json
import re
from collections.abc import Iterable
from typing import NamedTuple

Header = tuple[bytes, bytes]

# The longest head that is read, in bytes, and the most headers that it may have.
MAX_HEAD = 1024 * 1024
MAX_HEADERS = 10_000
MAX_AUTHORITY = 4096

END = re.compile(rb"\n\r?\n")
BLANK = re.compile(rb"(?:\r?\n)*")
REQUEST_LINE = re.compile(rb"([!#$%&'*+.^_`|~\w-]{1,99}) (.*) (HTTP/1\.\d)", re.DOTALL)
STATUS_LINE = re.compile(rb"(HTTP/1\.\d) +(\d{3})(?: (.*))?", re.DOTALL)
ABSOLUTE = re.compile(rb"([a-z][a-z0-9+.-]*)://([^/?#]*)", re.IGNORECASE)


class HttpError(Exception):
    """What is not HTTP, in words."""


class RequestHead(NamedTuple):
    http_version: bytes
    headers: list[Header]
    size: int
    method: bytes
    scheme: bytes
    authority: bytes
    path: bytes


class ResponseHead(NamedTuple):
    http_version: bytes
    headers: list[Header]
    size: int
    status: int
    reason: bytes


class HeadScanner:
    """Finds the end of a head that comes in pieces; what was searched once is not searched again."""

    __slots__ = ("_searched",)

    def __init__(self) -> None:
        self._searched = 0

    def find(self, data: bytes | bytearray, at: int) -> int:
        """Where the head ends that begins at `at`; 0 when its end has not come. Raises HttpError for a long one."""
        match = END.search(data, at + self._searched)
        if match:
            self._searched = 0
            return match.end()
        size = len(data) - at
        if size > MAX_HEAD:
            raise HttpError(f"a head of more than {MAX_HEAD} bytes")
        self._searched = max(0, size - 2)
        return 0


def skip_blank(data: bytes | bytearray, at: int = 0) -> int:
    """Where the line ends are over that stand at `at`: some clients send them after a body."""
    match = BLANK.match(data, at)
    return match.end() if match else at


def parse_request_head(head: bytes) -> RequestHead:
    """Raises HttpError when it is not the head of an HTTP/1 request."""
    line, *lines = head.split(b"\n")
    headers = parse_headers(lines)
    method, target, http_version = parse_request_line(line.rstrip(b" \t\r"))
    return RequestHead(http_version, headers, len(head), method, *parse_target(method, target))


def parse_response_head(head: bytes) -> ResponseHead:
    """Raises HttpError when it is not the head of an HTTP/1 response."""
    line, *lines = head.split(b"\n")
    headers = parse_headers(lines)
    line = line.rstrip(b" \t\r")
    match = STATUS_LINE.fullmatch(line)
    if not match:
        raise HttpError(f"Bad HTTP response line: {quote(line)}")
    return ResponseHead(match[1], headers, len(head), int(match[2]), match[3] or b"")


def parse_headers(lines: Iterable[bytes]) -> list[Header]:
    """Reads header lines. Raises HttpError when they are none."""
    headers: list[Header] = []
    # A value goes on in lines that begin with a blank.
    value: list[bytes] = []
    for raw in lines:
        line = raw.rstrip(b" \t\r")
        if not line:
            continue
        if line[0] in b" \t" and headers:
            value.append(line.lstrip(b" \t"))
            continue
        unfold(headers, value)
        colon = line.find(b":")
        if colon <= 0 or line[0] in b" \t":
            raise HttpError(f"Invalid header line: {quote(line)}")
        headers.append((line[:colon], line[colon + 1 :].lstrip(b" \t")))
        if len(headers) > MAX_HEADERS:
            raise HttpError(f"more than {MAX_HEADERS} headers")
    unfold(headers, value)
    return headers


def unfold(headers: list[Header], more: list[bytes]) -> None:
    """Adds the lines in which the last header's value goes on."""
    if more:
        name, value = headers[-1]
        headers[-1] = (name, b"\r\n ".join([value, *more]))
        more.clear()


def parse_request_line(line: bytes) -> tuple[bytes, bytes, bytes]:
    """Method, target and version. A target may have spaces in it. Raises HttpError for what is none of HTTP/1."""
    match = REQUEST_LINE.fullmatch(line)
    target = match[2].lstrip(b" \t").rstrip(b" \t\r") if match else b""
    if not match or not target:
        raise HttpError(f"Bad HTTP request line: {quote(line)}")
    return match[1], target, match[3]


def is_request_line(line: bytes) -> bool:
    """Whether a line begins an HTTP/1 request."""
    try:
        parse_request_line(line.removesuffix(b"\r"))
    except HttpError:
        return False
    return True


def parse_target(method: bytes, target: bytes) -> tuple[bytes, bytes, bytes]:
    """Scheme, authority and path by the forms of RFC 9112, section 3.2."""
    if method == b"CONNECT":
        return b"", target, b""
    match = None if target.startswith(b"/") else ABSOLUTE.match(target, 0, MAX_AUTHORITY)
    if not match:
        return b"http", b"", target
    path = target[match.end() :]
    return match[1], match[2], path if path.startswith(b"/") else b"/" + path


def quote(data: bytes) -> str:
    """Bytes in a message for people: not all of them, and nothing that moves a cursor."""
    text = json.dumps(data[:100].decode("latin-1"), ensure_ascii=False)
    return re.sub("[\x7f-\x9f]", "?", text) + ("…" if len(data) > 100 else "")
