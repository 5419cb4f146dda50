"""What a connection speaks, by the first bytes of its client."""

import re
from typing import Literal

Speech = Literal["http1", "http2", "other"]

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

# The first line of an HTTP/1.1 request, RFC 9112, as far as it matters here; and a piece that may become one.
REQUEST = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,32} [^ \r\n]+ HTTP/1\.1\r?\n")
BEGUN = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,32}( [^\r\n]*\r?)?")
# A first line that is longer is none, in bytes.
LONGEST = 8 * 1024


def begins_request(data: bytes) -> bool:
    """Whether an HTTP/1.1 request begins here."""
    return REQUEST.match(data) is not None


def recognize(data: bytes) -> Speech | None:
    """@returns None when more bytes must tell."""
    if data.startswith(PREFACE):
        return "http2"
    if PREFACE.startswith(data):
        return None
    if begins_request(data):
        return "http1"
    return None if len(data) < LONGEST and BEGUN.fullmatch(data) else "other"
