"""mitmproxy's flows of what the observer has read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mitmproxy import connection, http
from mitmproxy.flow import Error, Flow
from mitmproxy.proxy.mode_specs import ProxyMode
from mitmproxy.tcp import TCPFlow

if TYPE_CHECKING:
    from observer.exchange import Exchange, Message
    from observer.head import RequestHead, ResponseHead
    from observer.link import Link
    from observer.tcp import Tcp


class KeptState:
    """A part of a connection that puts its state together once: it is the same in all its flows."""

    kept: dict[str, Any] | None = None

    def __setattr__(self, name: str, value: Any) -> None:
        self.__dict__["kept"] = None
        super().__setattr__(name, value)

    def get_state(self) -> dict[str, Any]:
        if self.kept is None:
            self.__dict__["kept"] = super().get_state()  # type: ignore[misc]
        # Whoever gets it may take it to pieces.
        return dict(self.kept or {})


class WatchedClient(KeptState, connection.Client):
    pass


class WatchedServer(KeptState, connection.Server):
    pass


class Ends:
    """The two connections of a link. All its flows share them."""

    def __init__(self, link: Link) -> None:
        self.client = WatchedClient(
            peername=link.client,
            # The copies do not tell the address on which the client has reached the port.
            sockname=("", link.port.listen),
            timestamp_start=link.start,
            proxy_mode=ProxyMode.parse(link.mode()),
        )
        self.server = WatchedServer(
            address=link.address,
            peername=link.server,
            timestamp_start=link.start,
            timestamp_tcp_setup=link.start if link.server else None,
        )


def find_ends(link: Link) -> Ends:
    if link.shown is None:
        link.shown = Ends(link)
    ends: Ends = link.shown
    return ends


def update_ends(link: Link) -> None:
    """Notes when they have ended."""
    if link.shown is not None:
        ends = find_ends(link)
        if ends.client.timestamp_end != link.client_end:
            ends.client.timestamp_end = link.client_end
        if ends.server.timestamp_end != link.server_end:
            ends.server.timestamp_end = link.server_end


def build_http(exchange: Exchange) -> http.HTTPFlow:
    """A flow that has the head of a request."""
    ends = find_ends(exchange.link)
    flow = http.HTTPFlow(ends.client, ends.server)
    flow.timestamp_created = exchange.request.start
    head = exchange.request.head
    host, port = exchange.link.address
    flow.request = http.Request(
        host=host,
        port=port,
        method=head.method,
        scheme=head.scheme,
        authority=head.authority,
        path=head.path,
        http_version=head.http_version,
        headers=http.Headers(head.headers),
        content=b"",
        trailers=None,
        timestamp_start=exchange.request.start,
        timestamp_end=None,
    )
    return flow


def build_response(message: Message[ResponseHead]) -> http.Response:
    """A response that has its head."""
    head = message.head
    return http.Response(
        http_version=head.http_version,
        status_code=head.status,
        reason=head.reason,
        headers=http.Headers(head.headers),
        content=b"",
        trailers=None,
        timestamp_start=message.start,
        timestamp_end=None,
    )


def build_tcp(tcp: Tcp) -> TCPFlow:
    ends = find_ends(tcp.link)
    flow = TCPFlow(ends.client, ends.server)
    flow.timestamp_created = tcp.start
    return flow


def fill_http(flow: http.HTTPFlow, exchange: Exchange) -> bool:
    """Puts into a flow what has come after the heads. Returns whether its bodies have grown."""
    grown = fill_message(flow.request, exchange.request)
    if flow.response and exchange.response:
        grown |= fill_message(flow.response, exchange.response)
    return grown


def fill_message(shown: http.Message, message: Message[RequestHead] | Message[ResponseHead]) -> bool:
    shown.timestamp_end = message.end
    if message.trailers is not None:
        shown.trailers = http.Headers(message.trailers)
    if len(shown.raw_content or b"") == message.body.kept:
        return False
    # Unlike content, this leaves the headers as they are.
    shown.raw_content = message.body.content()
    return True


def fill_socket(flow: http.HTTPFlow, exchange: Exchange) -> None:
    """Puts into a flow how its WebSocket has ended."""
    close = exchange.socket.close_frame if exchange.socket else None
    if flow.websocket and close:
        flow.websocket.closed_by_client = close.side == "client"
        flow.websocket.close_code = close.code
        flow.websocket.close_reason = close.reason
        flow.websocket.timestamp_end = close.time


def fill_end(flow: Flow, source: Exchange | Tcp) -> None:
    """Puts into a flow what went wrong, and what there is to say of it, before what the user has said."""
    if source.error:
        flow.error = Error(*source.error)
    notes = source.notes()
    if notes:
        others = [line for line in flow.comment.split("\n") if line and line not in notes]
        flow.comment = "\n".join([*notes, *others])
    update_ends(source.link)
