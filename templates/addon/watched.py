"""Connections that are only watched: they pass beside mitmproxy, which gets their flows from copies."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mitmproxy.flow import Error, Flow
from mitmproxy.http import HTTPFlow
from mitmproxy.tcp import TCPFlow, TCPMessage
from mitmproxy.websocket import WebSocketData, WebSocketMessage

from .watched_flow import (
    build_http,
    build_response,
    build_tcp,
    fill_end,
    fill_http,
    fill_message,
    fill_socket,
    update_ends,
)
from .watched_hooks import WatchedHooks

if TYPE_CHECKING:
    from observer.exchange import Exchange
    from observer.link import Link, Side
    from observer.tcp import Tcp
    from observer.websocket import SocketMessage


class Watched:
    """Makes mitmproxy's flows of what the observer's Decoder tells, and shows them to those who look."""

    def __init__(self) -> None:
        self.hooks = WatchedHooks()
        self.open: dict[str, tuple[HTTPFlow, Exchange] | tuple[TCPFlow, Tcp]] = {}
        # Open flows of which there is more than the view shows, but for bodies.
        self.changed: dict[str, Flow] = {}
        # How many flows have ended.
        self.ended = 0

    def exchange_begins(self, exchange: Exchange) -> None:
        flow = build_http(exchange)
        exchange.shown = flow
        self.open[flow.id] = (flow, exchange)
        self.hooks.add_to_view(flow)
        self.hooks.call("requestheaders", flow)

    def request_ends(self, exchange: Exchange) -> None:
        flow: HTTPFlow = exchange.shown
        fill_message(flow.request, exchange.request)
        self.hooks.call("request", flow)

    def response_begins(self, exchange: Exchange) -> None:
        flow: HTTPFlow = exchange.shown
        assert exchange.response
        flow.response = build_response(exchange.response)
        self.changed[flow.id] = flow
        self.hooks.call("responseheaders", flow)

    def socket_begins(self, exchange: Exchange) -> None:
        flow: HTTPFlow = exchange.shown
        fill_http(flow, exchange)
        flow.websocket = WebSocketData()
        self.hooks.call("response", flow)
        self.hooks.call("websocket_start", flow)

    def socket_message(self, exchange: Exchange, message: SocketMessage) -> None:
        flow: HTTPFlow = exchange.shown
        assert flow.websocket
        assert exchange.socket
        shown = WebSocketMessage(message.opcode, message.side == "client", message.content, message.time)
        if exchange.socket.messages.add(flow.websocket.messages, shown):
            self.changed[flow.id] = flow
            self.hooks.call("websocket_message", flow)

    def exchange_ends(self, exchange: Exchange) -> None:
        flow: HTTPFlow = exchange.shown
        fill_http(flow, exchange)
        fill_socket(flow, exchange)
        fill_end(flow, exchange)
        self.close(flow, "websocket_end" if flow.websocket else "error" if flow.error else "response")

    def bytes_begin(self, tcp: Tcp) -> None:
        flow = build_tcp(tcp)
        tcp.shown = flow
        self.open[flow.id] = (flow, tcp)
        self.hooks.add_to_view(flow)
        self.hooks.call("tcp_start", flow)

    def bytes_pass(self, tcp: Tcp, side: Side, data: bytes, time: float) -> None:
        flow: TCPFlow = tcp.shown
        if tcp.messages.add(flow.messages, TCPMessage(side == "client", data, time)):
            self.changed[flow.id] = flow
            self.hooks.call("tcp_message", flow)

    def bytes_end(self, tcp: Tcp) -> None:
        flow: TCPFlow = tcp.shown
        fill_end(flow, tcp)
        self.close(flow, "tcp_error" if flow.error else "tcp_end")

    def close(self, flow: Flow, hook: str) -> None:
        del self.open[flow.id]
        self.changed.pop(flow.id, None)
        self.ended += 1
        self.hooks.update_view([flow])
        self.hooks.call(hook, flow)

    def link_ends(self, link: Link) -> None:
        update_ends(link)

    def link_fails(self, link: Link, reason: str, time: float) -> None:
        for flow, source in list(self.open.values()):
            if source.link is link:
                flow.error = flow.error or Error(reason, time)
                self.close(flow, "error" if isinstance(flow, HTTPFlow) else "tcp_error")

    def show_open(self) -> None:
        """Puts into open flows what has come of them."""
        for flow, source in self.open.values():
            if isinstance(flow, HTTPFlow) and fill_http(flow, source):  # type: ignore[arg-type]
                self.changed[flow.id] = flow

    def refresh_view(self) -> None:
        """Shows in the TUI and mitmweb what has come of open flows."""
        self.show_open()
        changed, self.changed = self.changed, {}
        self.hooks.update_view(list(changed.values()))
