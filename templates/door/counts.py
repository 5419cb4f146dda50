"""What the door tells of itself: a file, and a message to the child."""

import contextlib
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass
class Counts:
    """See docs/wire.md."""

    connections: int = 0
    watched: int = 0
    changing: int = 0
    bytes: int = 0
    skipped_bytes: int = 0
    skipped_connections: int = 0
    restarts: int = 0
    lane: str = "watch"
    child: str = "none"
    flows: int = 0
    failed_open: int = 0

    def as_dict(self) -> dict[str, object]:
        return asdict(self)


class CountsFile:
    """The counts on the disk, replaced as a whole."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._text = ""

    def write(self, counts: Counts) -> bool:
        """@returns whether they have changed since."""
        text = json.dumps(counts.as_dict())
        if text == self._text:
            return False
        self._text = text
        new = self._path.with_name(self._path.name + ".new")
        with contextlib.suppress(OSError):  # A full disk.
            new.write_text(text)
            os.replace(new, self._path)
        return True
