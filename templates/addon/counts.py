"""What the user is told of connections that mitmproxy does not see, or does not change."""

import asyncio
import logging
import time
from typing import Any

from mitmproxy.log import ALERT

from . import tasks
from .control import Control, Message
from .watched import Watched

# How long a line stays before another takes its place, in s.
PAUSE = 10
# How often the door is told how many flows there were, in s.
TELL = 1


class Counts:
    """Shows the door's counts in the TUI's last line and in mitmweb's event log, when there is something to tell."""

    name = "mittens-counts"

    def __init__(self, control: Control, watched: Watched) -> None:
        self.control = control
        self.watched = watched
        # How many bytes passed that mitmproxy has not read.
        self.unread = 0
        self.line = ""
        self.shown_at = -float("inf")
        control.on("counts", self.hear)

    def running(self) -> None:
        tasks.start(self.tell())

    async def tell(self) -> None:
        """Tells the door how many flows there have been of the connections that are watched."""
        told = 0
        while True:
            await asyncio.sleep(TELL)
            if self.watched.ended != told:
                told = self.watched.ended
                self.control.send({"flows": told})

    def hear(self, message: Message, *_: object) -> None:
        self.unread = message["counts"]["skipped_bytes"]
        line = describe(message["counts"])
        if line in ("", self.line) or time.monotonic() - self.shown_at < PAUSE:
            return
        self.line = line
        self.shown_at = time.monotonic()
        logging.log(ALERT, line)


def describe(counts: dict[str, Any]) -> str:
    """One line; empty when everything is seen and nothing is changed."""
    parts = []
    if counts["lane"] == "change":
        parts.append(f"{counts['changing']} connections go through mitmproxy, {counts['watched']} are only watched")
    if counts["failed_open"]:
        parts.append(f"{counts['failed_open']} passed unchanged, since mitmproxy was busy")
    if counts["skipped_bytes"]:
        parts.append(f"{counts['skipped_bytes'] / 1e6:.1f} MB passed unread, since mitmproxy is too slow")
    if counts["restarts"]:
        parts.append(f"mitmproxy was started again {counts['restarts']} times")
    return "; ".join(parts)
