"""Frames of HTTP/2: RFC 9113."""

from door.http2 import GREETING, HEAD_BYTES

GOAWAY_TYPE = b"\x07"
NO_ERROR = bytes(4)


def is_settings(data: bytes) -> bool:
    """Whether the first bytes of a server are a frame SETTINGS, with which it greets."""
    return len(data) >= HEAD_BYTES and data[3:HEAD_BYTES] == GREETING


class GoawayFilter:
    """Takes GOAWAY without an error out of the bytes of one side."""

    def __init__(self, preface: int) -> None:
        """`preface`: how many bytes precede the first frame."""
        self.rest = b""
        # Bytes that belong to a frame that has begun, or to the preface.
        self.left = preface

    def read(self, data: bytes) -> tuple[bytes, bool]:
        """Takes the next bytes. Returns what passes, and whether the side wants no new streams."""
        self.rest += data
        passed = bytearray()
        leaves = False
        while self.rest:
            if self.left == 0:
                length = HEAD_BYTES + int.from_bytes(self.rest[:3], "big")
                is_goaway = self.rest[3:4] == GOAWAY_TYPE
                if len(self.rest) < (length if is_goaway else HEAD_BYTES):
                    break
                if is_goaway and self.rest[13:17] == NO_ERROR:
                    leaves = True
                    self.rest = self.rest[length:]
                    continue
                self.left = length
            passed += self.rest[: self.left]
            taken = min(self.left, len(self.rest))
            self.rest = self.rest[taken:]
            self.left -= taken
        return bytes(passed), leaves
