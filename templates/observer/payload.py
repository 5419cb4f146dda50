"""The JSON of frames: docs/wire.md."""

import json
from typing import Any

from .frame import Frame, FrameError
from .link import Address, Port

VERSION = 1


def parse_beginning(frame: Frame) -> dict[int, Port]:
    """Reads the ports that a file begins with, by the number on which they listen. Raises FrameError."""
    about = parse_object(frame)
    if about.get("wire") != VERSION:
        raise FrameError(f"frame H: its version is {about.get('wire')}, and {VERSION} is known")
    try:
        ports = [Port(int(it["listen"]), int(it["app"]), str(it.get("protocol", "auto"))) for it in about["ports"]]
    except (KeyError, TypeError, ValueError, AttributeError):
        raise FrameError("frame H: its ports are none") from None
    return {port.listen: port for port in ports}


def parse_address(frame: Frame, about: dict[str, Any], name: str) -> Address | None:
    """Reads an address. Raises FrameError."""
    match about.get(name):
        case None:
            return None
        case [str(host), int(port)]:
            return (host, port)
        case _:
            raise FrameError(f"frame {frame.type}: {name} is not an address")


def parse_count(frame: Frame, about: dict[str, Any], name: str) -> int:
    """Reads a number; what is missing is 0. Raises FrameError."""
    count = about.get(name, 0)
    if not isinstance(count, int) or count < 0:
        raise FrameError(f"frame {frame.type}: {name} is not a count")
    return count


def parse_object(frame: Frame) -> dict[str, Any]:
    """Reads the JSON of a frame. Raises FrameError."""
    try:
        about = json.loads(frame.payload)
    except (ValueError, RecursionError):
        about = None
    if not isinstance(about, dict):
        raise FrameError(f"frame {frame.type}: its JSON is broken")
    return about
