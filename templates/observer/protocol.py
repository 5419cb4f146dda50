"""What reads a connection's bytes, and what it knows of the connection."""

import abc
import typing
from typing import NamedTuple

from .budget import Account
from .link import Link, Side
from .listener import Listener

# What mitmproxy says of a request without a response when one side has gone.
DISCONNECTED: dict[Side, str] = {"client": "Client disconnected.", "server": "server closed connection"}


class Piece(NamedTuple):
    """Bytes that one side sent."""

    side: Side
    data: bytes
    time: float


class Ending(NamedTuple):
    """Why no more of a connection is read."""

    by: Side | None
    """The side that ended it; None when neither did."""
    is_reset: bool
    message: str
    """What is said of a message that did not end; where a side ended it, in mitmproxy's words."""
    time: float


class Protocol(abc.ABC):
    """What makes flows of a connection's bytes."""

    # Whether it can begin again after bytes are missing.
    can_resume = False
    # How many bytes it is given at once, so that others have their turn. Most can be cut anywhere.
    slice = 4096

    @abc.abstractmethod
    def push(self, side: Side, data: bytes, time: float) -> None:
        """Reads a piece."""

    def end(self, side: Side, time: float) -> None:  # noqa: B027
        """One side has sent everything."""

    @abc.abstractmethod
    def close(self, ending: Ending) -> None:
        """Nothing more comes: whatever is open ends."""


class Host(typing.Protocol):
    """What a protocol knows of the connection that it reads."""

    link: Link
    account: Account
    listener: Listener

    def become(self, protocol: Protocol, rest: list[Piece]) -> None:
        """Lets another protocol read on, from the rest of what came."""

    def detect(self, rest: list[Piece]) -> None:
        """Lets the protocol be found out anew, as within the tunnel of a CONNECT."""

    def give_up(self, reason: str, rest: list[Piece]) -> None:
        """Shows the rest as bytes, with the reason why it can't be read."""
