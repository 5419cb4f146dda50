"""The first layer of a connection."""

from typing import Literal

from door.http2 import GOAWAY
from mitmproxy import ctx
from mitmproxy.connection import Connection, Server
from mitmproxy.proxy import commands, events, layer, layers, tunnel
from mitmproxy.proxy.context import Context
from mitmproxy.proxy.layer import CommandGenerator
from mitmproxy.proxy.layers.http import HTTPMode

from . import limits
from .http2 import is_settings
from .speech import Speech, recognize

# The layers that a connection can get.
Choice = Literal["tls", "http", "http2", "tcp"]

ALPN_OF_HTTP = (b"h2", b"http/1.1", b"http/1.0")


class Leave(events.Event):
    """The client of a connection is to open no other here."""


class Entrance(layer.Layer):
    """Holds back what comes until it is known what it is, then hands over to the layers for that.

    It is the first layer of every connection, and again the first inside of TLS.
    """

    def __init__(self, context: Context, protocol: str, in_tls: bool = False) -> None:
        super().__init__(context)
        self.protocol = protocol
        self.in_tls = in_tls
        # The Entrance inside of TLS.
        self.inner: Entrance | None = None
        self.next: layer.Layer | None = None
        self.held: list[events.Event] = []
        self.timer: commands.RequestWakeup | None = None
        self.abandoned: Connection | None = None

    def _handle_event(self, event: events.Event) -> CommandGenerator[None]:
        if isinstance(event, Leave):
            yield from self.leave(event)
        elif self.abandoned and find_connection(event) is self.abandoned:
            pass
        elif isinstance(event, events.Wakeup) and event.command is self.timer:
            self.timer = None
            if self.next is None:
                yield from self.wait_for_app()
        elif self.next is not None:
            yield from self.next.handle_event(event)
        else:
            self.held.append(event)
            yield from self.look(event)

    def look(self, event: events.Event) -> CommandGenerator[None]:
        if isinstance(event, events.Start):
            if self.in_tls and self.context.client.alpn in ALPN_OF_HTTP:
                yield from self.hand_over("http")
            else:
                yield from self.set_timer()
        elif isinstance(event, events.DataReceived):
            choice = self.judge(event)
            if choice:
                yield from self.hand_over(choice)
            else:
                yield from self.set_timer()
        elif isinstance(event, events.ConnectionClosed):
            yield from self.judge_end(event)

    def judge(self, event: events.DataReceived) -> Choice | None:
        if event.connection is self.context.client:
            return self.choose(recognize(self.client_data()))
        # An HTTP/2 server does not wait for its client either, which may only be slow.
        return None if is_settings(event.data) else "tcp"

    def judge_end(self, event: events.ConnectionClosed) -> CommandGenerator[None]:
        """A client that says something and ends at once wants it to be heard."""
        client = self.context.client
        if event.connection is client and self.protocol in limits.SILENCE and self.client_data():
            yield from self.hand_over("tcp")
        else:
            yield commands.CloseConnection(client)

    def set_timer(self) -> CommandGenerator[None]:
        if self.protocol in limits.SILENCE and self.timer is None:
            self.timer = commands.RequestWakeup(limits.SILENCE[self.protocol])
            yield self.timer

    def client_data(self) -> bytes:
        client = self.context.client
        return b"".join(
            event.data for event in self.held if isinstance(event, events.DataReceived) and event.connection is client
        )

    def choose(self, speech: Speech | None) -> Choice | None:
        """The layers for what is spoken, on a port that was declared as `protocol`."""
        if self.protocol == "tcp":
            return "tcp"
        # HTTP/2 in TLS is negotiated before. Where it is not, nobody could tell the app.
        if self.in_tls and speech == "http2":
            return "tcp"
        if speech == "tls":
            return self.choose_for_tls()
        if speech == "other":
            return "tcp" if self.protocol == "auto" else "http"
        return {"http1": "http", "http2": "http2", None: None}[speech]

    def choose_for_tls(self) -> Choice:
        if self.protocol != "auto":
            return "tls"
        # Ending TLS would break clients that verify whom they talk to; with the certificate of the app it does not.
        return "tls" if ctx.options.certs and not self.in_tls else "tcp"

    def wait_for_app(self) -> CommandGenerator[None]:
        """The client is silent: it may be the app's turn. Whoever speaks first then decides."""
        server = self.context.server
        if self.protocol == "tcp" or self.client_data():
            yield from self.hand_over("tcp")
        elif not server.connected and (yield commands.OpenConnection(server)):
            yield commands.CloseConnection(self.context.client)

    def hand_over(self, choice: Choice) -> CommandGenerator[None]:
        if choice == "http2":
            # Without TLS nothing is negotiated; mitmproxy's layer goes by this. Connections.server_connect speaks
            # to the app likewise.
            self.context.client.alpn = b"h2"
            yield from self.connect_anew()
        self.next = self.build(choice)
        held, self.held = self.held, []
        for event in held:
            yield from self.next.handle_event(event)

    def build(self, choice: Choice) -> layer.Layer:
        """The layers for a choice. Returns the first."""
        stack = tunnel.LayerStack()
        is_https = self.protocol == "https" or (self.protocol == "auto" and choice == "tls")
        if is_https and not self.in_tls:
            stack /= layers.ServerTLSLayer(self.context)
        if choice == "tls":
            stack /= layers.ClientTLSLayer(self.context)
            self.inner = Entrance(self.context, "auto", in_tls=True)
            stack /= self.inner
        elif choice == "tcp":
            stack /= layers.TCPLayer(self.context)
        else:
            stack /= layers.HttpLayer(self.context, HTTPMode.transparent)
        return stack[0]

    def connect_anew(self) -> CommandGenerator[None]:
        """mitmproxy's layer for HTTP/2 can't take over a connection on which the app may have spoken already."""
        server = self.context.server
        if not server.connected:
            return
        self.abandoned = server
        self.held = [event for event in self.held if find_connection(event) is not server]
        self.context.server = Server(address=server.address)
        yield commands.CloseConnection(server)

    def leave(self, event: Leave) -> CommandGenerator[None]:
        """Tells a client that speaks HTTP/2. Other layers do not know this event."""
        if self.inner and self.next:
            yield from self.next.handle_event(event)
        elif isinstance(self.next, layers.HttpLayer) and self.context.client.alpn == b"h2":
            yield commands.SendData(self.context.client, GOAWAY)


def find_connection(event: events.Event) -> Connection | None:
    connection: Connection | None = getattr(event, "connection", None)
    return connection
