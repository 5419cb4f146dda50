"""What a client speaks."""

import re
from typing import Literal

from door.speech import PREFACE

Speech = Literal["tls", "http1", "http2", "other"]

TLS_HANDSHAKE = b"\x16"
TLS_MAJOR_VERSION = 3

# CONNECT is for apps that are proxies themselves; mitmproxy refuses it here.
REQUEST_LINE = re.compile(rb"(?!CONNECT )[A-Z][A-Z-]{0,19} [^\r\n]+ HTTP/1\.[01]\r?\n")
PART_OF_REQUEST_LINE = re.compile(rb"[A-Z][A-Z-]{0,19}( [^\r\n]{0,65536}\r?)?")


def recognize(data: bytes) -> Speech | None:
    """What a client speaks, by its first bytes. None if more are needed."""
    if data[:1] == TLS_HANDSHAKE:
        if len(data) < 3:
            return None
        return "tls" if data[1] == TLS_MAJOR_VERSION else "other"
    if PREFACE.startswith(data[: len(PREFACE)]):
        return "http2" if len(data) >= len(PREFACE) else None
    if REQUEST_LINE.match(data):
        return "http1"
    return None if PART_OF_REQUEST_LINE.fullmatch(data) else "other"
