"""A client that is relayed, and whoever has to see what passes there."""

from collections.abc import Callable
from typing import Literal, Protocol

from .goodbye import Http1Goodbye, Http2Goodbye
from .http2 import Frames
from .moving import Moving
from .opening import Opening
from .relay import Relay
from .sockets import idle_times
from .speech import Speech

# What is to become of the connections that are open.
Mode = Literal["watch", "move", "leave"]


class Visitor(Protocol):
    """Sees what passes."""

    def see(self, from_client: bool, data: bytes) -> bytes:
        """Returns what is passed on."""

    def leave(self) -> None:
        """Sees no more. What it holds back passes."""


class Connection:
    """One of those that are relayed."""

    __slots__ = ("_mode", "_move", "_speech", "_visitor", "relay")

    def __init__(self, relay: Relay, mode: Mode, move: Callable[[], Moving]) -> None:
        """@param move: makes what hands this connection over, where that is possible."""
        self.relay = relay
        self._mode = mode
        self._move = move
        self._speech: Speech | None = None
        self._visitor: Visitor | None = None
        self._let_in(Opening(self._decide))

    @property
    def moving(self) -> Moving | None:
        """What hands it over, if it may go."""
        return self._visitor if isinstance(self._visitor, Moving) else None

    def enter(self, mode: Mode) -> None:
        """Begins another mode."""
        self._mode = mode
        if isinstance(self._visitor, Http2Goodbye):
            if mode == "leave":
                self._visitor.say()
        elif self._speech == "http1":
            self._let_in(self._visitor_of_http1())

    def reconnect(self) -> None:
        """Ends it, in the way of its protocol, unless it can move."""
        visitor = self._visitor
        if isinstance(visitor, Http2Goodbye):
            visitor.say()
        elif isinstance(visitor, Moving):
            visitor.reconnect()
        else:
            self.relay.finish()

    def is_idle(self, seconds: float) -> bool:
        """Whether nothing has passed for so long, and the app owes no answer."""
        sent, received = idle_times(self.relay.client.sock)
        return min(sent, received) >= seconds and self._is_quiet()

    def _is_quiet(self) -> bool:
        """Whether the app has spoken last, as far as the kernel's clock can tell."""
        sent, received = idle_times(self.relay.client.sock)
        return sent <= received

    def _decide(self, speech: Speech, frames: Frames) -> None:
        self._speech = speech
        if speech == "http2":
            goodbye = Http2Goodbye(self.relay, frames)
            self._let_in(goodbye)
            if self._mode == "leave":
                goodbye.say()
        else:
            self._let_in(self._visitor_of_http1(is_first=True) if speech == "http1" else None)

    def _visitor_of_http1(self, is_first: bool = False) -> Visitor | None:
        if self._mode == "leave":
            return Http1Goodbye(self._is_quiet(), is_first)
        return self._move() if self._mode == "move" else None

    def _let_in(self, visitor: Visitor | None) -> None:
        if self._visitor:
            self._visitor.leave()
        self._visitor = visitor
        self.relay.gate = visitor.see if visitor else None
