"""What mitmproxy breaks, mended: the only places where its own code is changed."""

import re
from collections.abc import Callable
from typing import TypeVar
from weakref import WeakKeyDictionary

from door.http2 import GOAWAY
from door.speech import PREFACE
from mitmproxy.connection import ConnectionState
from mitmproxy.proxy import commands, events
from mitmproxy.proxy.layer import CommandGenerator
from mitmproxy.proxy.layers.http._http1 import Http1Client
from mitmproxy.proxy.layers.http._http2 import Http2Connection

from .http2 import GoawayFilter

Event = TypeVar("Event", bound=events.Event)
L = TypeVar("L")
Handler = Callable[[L, Event], CommandGenerator[None]]

# Any response with a status of 1xx but 101, which ends HTTP/1 on its connection.
INTERIM_RESPONSE = re.compile(rb"HTTP/1\.[01] 1(?!01)\d\d[ \r]")


def apply() -> None:
    Http2Connection._handle_event = keep_streams(Http2Connection._handle_event)  # type: ignore
    Http1Client.read_headers = skip_interim(Http1Client.read_headers)  # type: ignore


def keep_streams(handle_event: Handler[Http2Connection, events.Event]) -> Handler[Http2Connection, events.Event]:
    """For the layer of an HTTP/2 connection: a GOAWAY without an error ends no stream that is open.

    mitmproxy breaks them off: the calls of every app that is rolled over, and of every client that closes its session
    in order. What it does not see, it goes on with. For new streams it opens another connection to an app that is half
    closed.
    """
    filters: WeakKeyDictionary[Http2Connection, GoawayFilter] = WeakKeyDictionary()

    def handle(self: Http2Connection, event: events.Event) -> CommandGenerator[None]:
        if isinstance(event, events.DataReceived):
            client = self.context.client
            is_client = event.connection is client
            if self not in filters:
                filters[self] = GoawayFilter(len(PREFACE) if is_client else 0)
            data, leaves = filters[self].read(event.data)
            if leaves and not is_client:
                event.connection.state &= ~ConnectionState.CAN_WRITE
                if client.alpn == b"h2":
                    yield commands.SendData(client, GOAWAY)
            event = events.DataReceived(event.connection, data)
        yield from handle_event(self, event)

    return handle


def skip_interim(
    read_headers: Handler[Http1Client, events.ConnectionEvent],
) -> Handler[Http1Client, events.ConnectionEvent]:
    """For the layer of an HTTP/1 connection to the app, which takes 103 (Early Hints) for the whole response.

    In HTTP/2 mitmproxy skips interim responses itself. It has already sent 100 (Continue) to the client.
    """

    def read(self: Http1Client, event: events.ConnectionEvent) -> CommandGenerator[None]:
        while INTERIM_RESPONSE.match(bytes(self.buf)) and self.buf.maybe_extract_lines():
            pass
        yield from read_headers(self, event)

    return read
