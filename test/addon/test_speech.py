"""What a client speaks, by its first bytes."""

import pytest
from addon.speech import recognize
from door.speech import PREFACE


@pytest.mark.parametrize(
    ("data", "speech"),
    [
        (b"", None),
        (b"G", None),
        (b"GET /", None),
        (b"GET / HTTP/1.1", None),
        (b"GET / HTTP/1.1\r\n", "http1"),
        (b"M-SEARCH * HTTP/1.1\n", "http1"),
        (b"GET /\r\n", "other"),
        (b"get / HTTP/1.1\r\n", "other"),
        (b"CONNECT app:443 HTTP/1.1\r\n", "other"),
        (b"P", None),
        (b"PRI * HTTP/2.0", None),
        (PREFACE + b"x", "http2"),
        (b"PRINT\r\n", "other"),
        (b"\x16\x03", None),
        (b"\x16\x03\x01", "tls"),
        (b"\x16\x04\x01", "other"),
        (b"\x00\x00", "other"),
    ],
)
def test_it_is_recognized_once_there_are_enough_bytes(data: bytes, speech: str | None) -> None:
    assert recognize(data) == speech
