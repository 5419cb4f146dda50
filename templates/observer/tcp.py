"""Connections whose bytes are shown as they are."""

from typing import Any

from .link import Side
from .messages import CUT_MESSAGES, Messages
from .protocol import Ending, Host, Protocol


class Tcp(Protocol):
    """A connection whose bytes are shown as they are."""

    slice = 64 * 1024

    def __init__(self, host: Host, note: str | None = None) -> None:
        """`note`: why its bytes are not read, for the flow's comment."""
        self._host = host
        self._notes = [] if note is None else [note]
        self._has_begun = False
        self.link = host.link
        self.messages = Messages(host.account)
        self.start = host.link.start
        # What went wrong, and when.
        self.error: tuple[str, float] | None = None
        # What the listener has made of it.
        self.shown: Any = None

    def notes(self) -> list[str]:
        return [*self._notes, *([CUT_MESSAGES] if self.messages.are_cut else [])]

    def push(self, side: Side, data: bytes, time: float) -> None:
        if data:
            self._begin(time)
            self._host.listener.bytes_pass(self, side, data, time)

    def _begin(self, time: float) -> None:
        if not self._has_begun:
            self._has_begun = True
            self.start = time
            self._host.listener.bytes_begin(self)

    def close(self, ending: Ending) -> None:
        """A connection that was opened and closed, as probes do, is not a flow."""
        if ending.is_reset:
            self.error = (ending.message, ending.time)
            self._begin(self.start)
        elif ending.by is None:
            self._notes.append(f"mittens: {ending.message}")
        self.leave()

    def leave(self) -> None:
        """What follows is read again."""
        if self._has_begun:
            self._host.listener.bytes_end(self)
        self.messages.release()
