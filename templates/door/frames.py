"""The frames of copies, in the wire file and on the way to the child: docs/wire.md."""

import json
import struct
import time

# Kind, connection, time in µs since 1970, length of the payload.
HEAD = struct.Struct(">cIQI")


def frame(kind: bytes, connection: int = 0, payload: bytes = b"") -> bytes:
    """One frame, of now."""
    return HEAD.pack(kind, connection, time.time_ns() // 1000, len(payload)) + payload


def frame_of(kind: bytes, connection: int, about: dict[str, object]) -> bytes:
    """One frame that carries JSON."""
    return frame(kind, connection, json.dumps(about).encode())
