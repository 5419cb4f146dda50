"""Who is told what passes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from .exchange import Exchange
    from .link import Link, Side
    from .tcp import Tcp
    from .websocket import SocketMessage


class Listener(Protocol):
    """Each exchange and each connection of plain bytes begins once and ends once."""

    def exchange_begins(self, exchange: Exchange) -> None:
        """The head of a request has come."""

    def request_ends(self, exchange: Exchange) -> None:
        """The request is whole."""

    def response_begins(self, exchange: Exchange) -> None:
        """The head of the response has come."""

    def socket_begins(self, exchange: Exchange) -> None:
        """The response has opened a WebSocket."""

    def socket_message(self, exchange: Exchange, message: SocketMessage) -> None: ...

    def exchange_ends(self, exchange: Exchange) -> None:
        """Nothing more comes of it, be it whole or not."""

    def bytes_begin(self, tcp: Tcp) -> None: ...

    def bytes_pass(self, tcp: Tcp, side: Side, data: bytes, time: float) -> None: ...

    def bytes_end(self, tcp: Tcp) -> None: ...

    def link_ends(self, link: Link) -> None:
        """Nothing more comes on the connection."""

    def link_fails(self, link: Link, reason: str, time: float) -> None:
        """What has begun on the connection and not ended does not end."""
