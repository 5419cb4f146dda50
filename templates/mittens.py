"""The mitmproxy addon of mittens, for mitmproxy 8.1 and later: the only code of ours in the cluster.

It travels in an environment variable and is loaded with `--scripts`. It
  - opens the proxy's ports only once the app listens on its own, so that a pod which is ready
    for the proxy is ready for requests;
  - finds out what each connection speaks, and passes on as it is what mitmproxy can't read;
  - passes streams on as they come, and keeps what passed, within bounds;
  - lets `q` in the TUI give the Service back before mitmproxy ends: it tells the viewer by the
    terminal's title, and goes on until Kubernetes ends the container;
  - leaves after the app does when Kubernetes ends the pod (SIGTERM), or before it, when the Service
    no longer points here (SIGUSR1), so that no request is cut off;
  - writes every flow to a file as soon as it has ended, for mittens to follow, and waits at the end
    until that has been read.

The Python below runs in whatever mitmproxy the image has: where versions differ, a comment says so.
"""

import asyncio
import os
import re
import signal
import sys
import typing
from collections import OrderedDict
from socket import SO_KEEPALIVE, SOL_SOCKET

from mitmproxy import ctx, exceptions
from mitmproxy.connection import Server
from mitmproxy.connection import ConnectionState
from mitmproxy.io import tnetstring
from mitmproxy.proxy import commands, events, layer, layers, tunnel
from mitmproxy.proxy.layers.http import HTTPMode
from mitmproxy.proxy.layers.http._http1 import Http1Client
from mitmproxy.proxy.layers.http._http2 import Http2Connection

# scripts/lib/session/session.ts looks for this title.
QUIT_TITLE = "mittens:quit"
KEPT_FLOWS = 5000
KEPT_BYTES = 128 * 1024 * 1024
KEPT_MESSAGES = 1000
# Of one connection without the TUI, where the file is to have them all.
KEPT_MESSAGE_BYTES = 64 * 1024 * 1024

# Of one streamed body, as much as of one that is not streamed (stream_large_bodies=5m); and of all that are
# open at a time, as a stream may never end.
STREAM_BYTES = 5 * 1024 * 1024
STREAMS_BYTES = 64 * 1024 * 1024

# Touched when all ports are open.
READY = "/tmp/mittens.ready"
# scripts/lib/capture/follow-pod.ts reads this file, and has an entry in that folder until it has read the end.
FLOWS = "/tmp/mittens.flows"
FOLLOWERS = "/tmp/mittens.followers"
FILE_BYTES = 1024 * 1024 * 1024

# In the last moments of a pod, in seconds: when what is still open is written as it is then, and how
# long followers may take. Together they leave time within Kubernetes' 30 s.
LINGER = 6
FOLLOWERS_TIME = 15
# While a Service no longer points here: how long kube-proxy may take to see that, after what time without a
# request a connection is closed, and when whatever is still open is.
TURN = 2
IDLE = 6
LEAVE = 20

# mitmproxy closes what is silent for ten minutes, as a pool's connections to a database are.
SILENT = 7 * 24 * 60 * 60

PROTOCOLS = ("auto", "http", "https", "h2c", "tcp")
# How long a client may say nothing before the app is asked, which may speak first; less for what is known to be
# neither HTTP nor TLS. A probe, which only connects and closes, is gone by then: the app never hears of it.
SILENCE = {"auto": 0.5, "tcp": 0.1}


async def accepts(host, port):
    try:
        _, writer = await asyncio.wait_for(asyncio.open_connection(host, port), 1)
    except (OSError, asyncio.TimeoutError):
        return False
    writer.close()
    return True


# -- what a connection speaks

HTTP2_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
# CONNECT is for apps that are proxies themselves; mitmproxy refuses it here.
REQUEST_LINE = re.compile(rb"(?!CONNECT )[A-Z][A-Z-]{0,19} [^\r\n]+ HTTP/1\.[01]\r?\n")
PART_OF_REQUEST_LINE = re.compile(rb"[A-Z][A-Z-]{0,19}( [^\r\n]{0,65536}\r?)?")
# "No new streams, please; those that are open may end": a frame GOAWAY of HTTP/2, with NO_ERROR.
GOAWAY = bytes.fromhex("000008" "07" "00" "00000000" "7fffffff" "00000000")


def spoken(data):
    """What a client speaks, by its first bytes: tls, http1, http2 or other; None if these are too few."""
    if data[:1] == b"\x16":
        return None if len(data) < 3 else "tls" if data[1] == 3 else "other"
    if HTTP2_PREFACE.startswith(data[: len(HTTP2_PREFACE)]):
        return "http2" if len(data) >= len(HTTP2_PREFACE) else None
    if REQUEST_LINE.match(data):
        return "http1"
    return None if PART_OF_REQUEST_LINE.fullmatch(data) else "other"


# -- what mitmproxy breaks, made good: the only places where its own code is changed


class Frames:
    """One side's HTTP/2 as it comes, without its GOAWAYs."""

    def __init__(self, preface):
        self.rest = b""
        self.left = preface

    def read(self, data):
        """@returns what is to pass on, and whether the side wants no new streams."""
        self.rest += data
        passed = bytearray()
        leaves = False
        while self.rest:
            if self.left == 0:
                # A frame's length in 3 bytes, its type, flags, and stream in 4.
                length = 9 + int.from_bytes(self.rest[:3], "big")
                is_goaway = self.rest[3:4] == GOAWAY[3:4]
                if len(self.rest) < (length if is_goaway else 9):
                    break
                frame = self.rest[:length]
                if is_goaway and frame[13:17] == GOAWAY[13:17]:
                    leaves = True
                    self.rest = self.rest[length:]
                    continue
                self.left = length
            passed += self.rest[: self.left]
            taken = min(self.left, len(self.rest))
            self.rest = self.rest[taken:]
            self.left -= taken
        return bytes(passed), leaves


def keep_streams(handle_event):
    """For mitmproxy's layer of an HTTP/2 connection: a GOAWAY without an error ends no stream that is open.

    mitmproxy breaks them off, and with them the calls of every app that is rolled over and of every client that closes
    its session in order. What it does not see, it goes on with; for new streams it opens another connection to an
    app where one is half closed.
    """

    def handle(self, event):
        if isinstance(event, events.DataReceived):
            is_client = event.connection is self.context.client
            if not hasattr(self, "mittens_frames"):
                self.mittens_frames = Frames(len(HTTP2_PREFACE) if is_client else 0)
            data, leaves = self.mittens_frames.read(event.data)
            if leaves and not is_client:
                event.connection.state &= ~ConnectionState.CAN_WRITE
                if self.context.client.alpn == b"h2":
                    yield commands.SendData(self.context.client, GOAWAY)
            event = events.DataReceived(event.connection, data)
        yield from handle_event(self, event)

    return handle


INTERIM_RESPONSE = re.compile(rb"HTTP/1\.[01] 1(?!01)\d\d[ \r]")


def skip_interim(read_headers):
    """For mitmproxy's layer of an HTTP/1 connection to the app: it takes 103, Early Hints, for the whole response.

    Of HTTP/2 it skips these by itself, and 100, Continue, it has said to the client before.
    """

    def read(self, event):
        while INTERIM_RESPONSE.match(bytes(self.buf)) and self.buf.maybe_extract_lines():
            pass
        yield from read_headers(self, event)

    return read


Http2Connection._handle_event = keep_streams(Http2Connection._handle_event)
Http1Client.read_headers = skip_interim(Http1Client.read_headers)


# -- the first layer of a connection


def is_http2_greeting(data):
    """Whether a server's first bytes are a frame SETTINGS of HTTP/2: its length, type, flags and stream."""
    return len(data) >= 9 and data[3:9] == b"\x04\x00\x00\x00\x00\x00"


class Leave(events.Event):
    """Tells a connection that it is to be the last of its client's here."""


class Entrance(layer.Layer):
    """The first layer of every connection, and again inside of TLS: holds back what comes until it is known what
    it is, and hands over to the layers for that."""

    def __init__(self, context, protocol, in_tls=False):
        super().__init__(context)
        self.protocol = protocol
        self.in_tls = in_tls
        self.inner = None
        self.next = None
        self.held = []
        self.timer = None
        self.abandoned = None

    def _handle_event(self, event):
        if isinstance(event, Leave):
            yield from self.leave(event)
        elif self.abandoned and getattr(event, "connection", None) is self.abandoned:
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

    def look(self, event):
        client = self.context.client
        if isinstance(event, events.Start):
            if self.in_tls and client.alpn in (b"h2", b"http/1.1", b"http/1.0"):
                yield from self.hand_over("http")
            else:
                yield from self.set_timer()
        elif isinstance(event, events.DataReceived):
            if event.connection is client:
                choice = self.choose(spoken(self.client_data()))
            else:
                # An HTTP/2 server does not wait for its client either, which may only be slow.
                choice = None if is_http2_greeting(event.data) else "tcp"
            if choice:
                yield from self.hand_over(choice)
            else:
                yield from self.set_timer()
        elif isinstance(event, events.ConnectionClosed):
            # A client that says something and ends it at once still wants it heard.
            if event.connection is client and self.protocol in SILENCE and self.client_data():
                yield from self.hand_over("tcp")
            else:
                yield commands.CloseConnection(client)

    def set_timer(self):
        if self.protocol in SILENCE and self.timer is None:
            self.timer = commands.RequestWakeup(SILENCE[self.protocol])
            yield self.timer

    def client_data(self):
        return b"".join(
            event.data
            for event in self.held
            if isinstance(event, events.DataReceived) and event.connection is self.context.client
        )

    def choose(self, speech):
        """The layers for what is spoken, on a port that was declared as `protocol`."""
        if self.protocol == "tcp":
            return "tcp"
        if self.protocol == "auto":
            # Ending TLS would break clients that verify whom they talk to; with the app's own certificate it doesn't.
            can_end_tls = ctx.options.certs and not self.in_tls
            choices = {"tls": "tls" if can_end_tls else "tcp", "http1": "http", "http2": "http2", "other": "tcp"}
        else:
            choices = {"tls": "tls", "http1": "http", "http2": "http2", "other": "http"}
        # HTTP/2 in TLS is agreed upon before; where it is not, the app could not be told.
        if self.in_tls and speech == "http2":
            return "tcp"
        return choices.get(speech)

    def wait_for_app(self):
        """The client is silent: it may be the app's turn. Whoever speaks first then decides."""
        server = self.context.server
        if self.protocol == "tcp" or self.client_data():
            yield from self.hand_over("tcp")
        elif not server.connected and (yield commands.OpenConnection(server)):
            yield commands.CloseConnection(self.context.client)

    def hand_over(self, choice):
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
            if choice == "http2":
                # What TLS would have agreed upon: mitmproxy's layer goes by this. The app is spoken to likewise,
                # by server_connect.
                self.context.client.alpn = b"h2"
                yield from self.connect_anew()
            stack /= layers.HttpLayer(self.context, HTTPMode.transparent)
        self.next = stack[0]
        held, self.held = self.held, []
        for event in held:
            yield from self.next.handle_event(event)

    def connect_anew(self):
        """mitmproxy's layer for HTTP/2 can't take over a connection on which the app may have spoken already."""
        server = self.context.server
        if not server.connected:
            return
        self.abandoned = server
        self.held = [event for event in self.held if getattr(event, "connection", None) is not server]
        self.context.server = Server(address=server.address)
        yield commands.CloseConnection(server)

    def leave(self, event):
        """Clients that speak HTTP/2 are told; other layers do not know this event."""
        if self.inner:
            yield from self.next.handle_event(event)
        elif isinstance(self.next, layers.HttpLayer) and self.context.client.alpn == b"h2":
            yield commands.SendData(self.context.client, GOAWAY)


# -- streams

STREAMED = (
    "text/event-stream",
    "application/grpc",
    "application/x-ndjson",
    "application/ndjson",
    "application/jsonl",
    "application/json-seq",
    "application/stream+json",
    "application/json;stream=watch",
    "multipart/x-mixed-replace",
)


def is_stream(headers):
    """Whether a response must pass on as it comes, since whoever reads it doesn't wait for its end."""
    kind = headers.get("content-type", "").lower().replace(" ", "")
    return kind.startswith(STREAMED) or headers.get("x-accel-buffering", "").lower() == "no"


class Recorder:
    """What mitmproxy asks for each piece of a streamed body: passes it on as it is, and keeps what fits."""

    kept_of_all = 0

    def __init__(self, message):
        self.message = message
        self.kept = bytearray()
        self.passed = 0
        self.is_open = True

    def __call__(self, data):
        if self.is_open and len(self.kept) == self.passed:
            room = max(0, min(STREAM_BYTES - self.passed, STREAMS_BYTES - Recorder.kept_of_all))
            self.kept += data[:room]
            Recorder.kept_of_all += len(data[:room])
        if self.is_open:
            self.passed += len(data)
        # An empty piece would end a chunked body.
        return [data] if data else []

    def show(self):
        """Puts what is kept into the flow. @returns whether that is news."""
        shown = self.message.data.content
        if shown is not None and len(shown) == len(self.kept):
            return False
        self.message.data.content = bytes(self.kept)
        return True

    def close(self):
        if self.is_open:
            self.is_open = False
            Recorder.kept_of_all -= len(self.kept)


# -- flows on the disk


class FlowFile:
    """Flows on disk, each as soon as it has ended: mitmproxy's own writing keeps the last ones in memory.

    A full disk costs flows, never traffic; and the file is whole flows one after another even then.
    """

    def __init__(self):
        self.file = None
        self.size = 0
        self.rest = b""
        self.written = 0
        self.dropped = 0

    def add(self, state):
        data = tnetstring.dumps(state)
        self.flush()
        if self.rest or self.size + len(data) > FILE_BYTES:
            self.dropped += 1
            return
        self.written += 1
        self.append(data)

    def end(self):
        """What is no flow tells followers that there is no more."""
        self.append(tnetstring.dumps({"mittens": "end", "written": self.written, "dropped": self.dropped}))

    def append(self, data):
        self.size += len(data)
        self.rest += data
        self.flush()

    def flush(self):
        try:
            if self.file is None:
                self.file = open(FLOWS, "ab", buffering=0)
            while self.rest:
                self.rest = self.rest[self.file.write(self.rest) :]
        except OSError:
            pass  # The rest is tried again with the next flow.

    @staticmethod
    def is_followed():
        try:
            return len(os.listdir(FOLLOWERS)) > 0
        except OSError:
            return False


def cut_bodies(state, limit):
    """Cuts what is longer than so many bytes in a flow's state, and says so in its comment."""
    longest = 0

    def cut(content):
        nonlocal longest
        if content is None or len(content) <= limit:
            return content
        longest = max(longest, len(content))
        return content[:limit]

    for message in (state.get("request"), state.get("response")):
        if message:
            message["content"] = cut(message["content"])
    # A message's content comes after the bool that says who sent it.
    for holder, at in ((state.get("websocket"), 2), (state, 1)):
        if holder and holder.get("messages"):
            holder["messages"] = [(*m[:at], cut(m[at]), *m[at + 1 :]) for m in holder["messages"]]
    # What it was before someone changed it.
    state["backup"] = None
    if longest:
        state["comment"] = with_cut(state.get("comment"), limit, longest)


def with_cut(comment, limit, longest):
    note = f"mittens: cut to {limit} bytes, the longest from {longest}"
    return comment if comment and note in comment else "\n".join(filter(None, [comment, note]))


def refuse_h2c_upgrade(headers):
    """Takes away the offer to go on in HTTP/2, which mitmproxy could not follow: the app then answers in HTTP/1.1."""
    if "h2c" not in headers.get("upgrade", "").lower():
        return
    gone = ("upgrade", "http2-settings")
    tokens = [token.strip() for token in headers.get("connection", "").split(",")]
    for name in (*gone, "connection"):
        headers.pop(name, None)
    rest = ", ".join(token for token in tokens if token and token.lower() not in gone)
    if rest:
        headers["connection"] = rest


def add_forwarded(headers, client):
    hops = [headers.get("x-forwarded-for"), client.peername[0]]
    headers["x-forwarded-for"] = ", ".join(filter(None, hops))
    headers.setdefault("x-forwarded-proto", "https" if client.tls else "http")


class Port:
    """A port of the proxy's: LISTEN=PROTOCOL:APPPORT."""

    def __init__(self, text):
        match = re.fullmatch(r"(\d+)=(\w+):(\d+)", text)
        if not match or match[2] not in PROTOCOLS:
            raise exceptions.OptionsError(f"mittens_ports: {text} is not LISTEN=PROTOCOL:APPPORT")
        self.listen, self.protocol, self.app = int(match[1]), match[2], int(match[3])
        self.host = None

    async def find_app(self):
        """Whether the app accepts connections: on localhost, or only on the pod's own address."""
        for host in ("localhost", os.environ.get("MITTENS_POD_IP")):
            if host and await accepts(host, self.app):
                self.host = host
                return True
        return False

    def mode(self):
        """What mitmproxy shows of it. Which layers a connection gets, the Entrance decides."""
        scheme = "https" if self.protocol == "https" else "http"
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"reverse:{scheme}://{host}:{self.app}"


class Client:
    """A client's connection, and when it last had a request."""

    def __init__(self, handler):
        self.handler = handler
        self.was_busy = asyncio.get_running_loop().time()
        self.is_told = False

    def idle(self):
        return asyncio.get_running_loop().time() - self.was_busy

    async def tell_to_leave(self):
        if self.is_told:
            return
        self.is_told = True
        # A coroutine since mitmproxy 11, a function before.
        told = self.handler.server_event(Leave())
        if asyncio.iscoroutine(told):
            await told

    def let_be_silent(self):
        watchdog = self.handler.timeout_watchdog
        # Renamed in 12.
        setattr(watchdog, "timeout" if hasattr(watchdog, "timeout") else "CONNECTION_TIMEOUT", SILENT)
        # A client that is lost without a word is noticed by the kernel.
        socket = self.handler.transports[self.handler.client].writer.get_extra_info("socket")
        socket.setsockopt(SOL_SOCKET, SO_KEEPALIVE, 1)

    def close(self, connection=None):
        io = self.handler.transports.get(connection or self.handler.client)
        if io and io.writer:
            io.writer.close()

    def close_all(self):
        """mitmproxy 8 leaves a connection open whose other side was the first to end its half."""
        for connection in list(self.handler.transports):
            self.close(connection)


class Mittens:
    def __init__(self):
        self.ports = OrderedDict()
        self.more_servers = []
        self.clients = {}
        self.in_flight = {}
        self.recorders = {}
        self.message_bytes = {}
        self.written_open = set()
        self.file = FlowFile()
        self.kept = OrderedDict()
        self.kept_bytes = 0
        self.draining = False
        self.leaving = False
        self.finishing = False
        self.tasks = []

    def load(self, loader):
        loader.add_option("mittens_ports", str, "", "LISTEN=PROTOCOL:APPPORT, separated by commas.")
        loader.add_option("mittens_body_limit", typing.Optional[int], None, "Bytes of a body that are written.")
        loader.add_option("mittens_forwarded", bool, False, "Adds X-Forwarded-For and -Proto to requests.")
        loader.add_option("mittens_web_token", str, "", "What opens mitmweb's page: http://127.0.0.1:PORT/?token=TOKEN")

    def configure(self, updated):
        if "mittens_ports" in updated and ctx.options.mittens_ports:
            ports = [Port(text) for text in ctx.options.mittens_ports.split(",")]
            self.ports = OrderedDict((port.listen, port) for port in ports)

    async def running(self):
        # Through the loop, as mitmproxy does since 9.0: a handler set past it would run beside mitmproxy's own.
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, lambda: self.start(self.drain()))
        loop.add_signal_handler(signal.SIGUSR1, lambda: self.start(self.leave()))
        self.set_options()
        if self.has_tui():
            ctx.master.shutdown = self.quit
        if self.has_view():
            self.start(self.show_streams())
        self.start(self.open_ports())

    def start(self, coroutine):
        self.tasks.append(asyncio.ensure_future(coroutine))

    def set_options(self):
        """Options that follow from others, by the names that this mitmproxy has for them."""
        wanted = {}
        if ctx.options.server_replay:
            # Renamed in 10.1. What was recorded elsewhere has another host than localhost.
            wanted.update(server_replay_nopop=True, server_replay_reuse=True, server_replay_ignore_host=True)
            if "server_replay_reuse" in ctx.options:
                del wanted["server_replay_nopop"]
        if ctx.options.mittens_web_token:
            # Before 11.1.2 mitmweb asks for none.
            wanted.update(web_open_browser=False, web_password=ctx.options.mittens_web_token)
        ctx.options.update(**{name: value for name, value in wanted.items() if name in ctx.options})
        if ctx.options.server_replay:
            # Newer ones do so by themselves: flows are found by what is not ignored.
            playback = ctx.master.addons.get("serverplayback")
            playback.load_flows([flow for flows in playback.flowmap.values() for flow in flows])

    # -- the proxy's ports

    async def open_ports(self):
        for port in self.ports.values():
            while not await port.find_app():
                await asyncio.sleep(0.2)
        ports = list(self.ports.values())
        # mitmproxy takes several modes since 9.0; before, one, and the other ports are opened here.
        if not isinstance(ctx.options.mode, str):
            ctx.options.update(mode=[f"{port.mode()}@{port.listen}" for port in ports], server=True)
        elif ports:
            serve = ctx.master.addons.get("proxyserver").handle_tcp_connection
            self.more_servers = [await asyncio.start_server(serve, "", port.listen) for port in ports[1:]]
            ctx.options.update(mode=ports[0].mode(), listen_port=ports[0].listen, server=True)
        for port in ports:
            while not await accepts("localhost", port.listen):
                await asyncio.sleep(0.05)
        open(READY, "a").close()

    def client_connected(self, client):
        """Gives a new connection its first layer in place of mitmproxy's, which waits for what a client says."""
        server = ctx.master.addons.get("proxyserver")
        # Renamed in 9.0.
        connections = server.connections if hasattr(server, "connections") else server._connections
        handler = next((handler for handler in connections.values() if handler.client is client), None)
        port = self.ports.get(client.sockname[1])
        if handler is None or port is None:
            return
        self.clients[client.id] = Client(handler)
        context = handler.layer.context
        context.layers.clear()
        context.server.address = (port.host, port.app)
        handler.layer = Entrance(context, port.protocol)

    def client_disconnected(self, client):
        gone = self.clients.pop(client.id, None)
        if gone:
            gone.close_all()

    def server_disconnected(self, data):
        client = self.clients.get(data.client.id)
        if client:
            client.close(data.server)

    def server_connect(self, data):
        """Without TLS nothing is agreed upon: the app is spoken to as the client speaks."""
        is_app = any(data.server.address == (port.host, port.app) for port in self.ports.values())
        if is_app and data.client.alpn == b"h2" and not data.client.tls and not data.server.tls:
            data.server.alpn = b"h2"

    # -- the ways out

    def has_tui(self):
        return hasattr(ctx.master, "prompt_for_exit")

    def has_view(self):
        """The TUI and mitmweb keep flows to show them; mitmdump forgets them."""
        return hasattr(ctx.master, "view")

    def quit(self):
        from mitmproxy.tools.console import signals

        # The title, for tmux; and a line's end, which flushes it into the container's log, at a
        # place on the screen where it scrolls nothing.
        sys.stdout.write(f"\033]2;{QUIT_TITLE}\007\0337\033[H\n\0338")
        sys.stdout.flush()
        signals.status_message.send(message="Giving the Service back ...", expire=120)

    async def drain(self):
        """The pod ends: so do we, after the app."""
        if self.draining or self.finishing:
            return
        self.draining = True
        quiet = 0
        rounds = 0
        while quiet < 2:
            await asyncio.sleep(0.25)
            rounds += 1
            if rounds == LINGER * 4:
                self.write_open()
            quiet = 0 if self.in_flight or await self.app_listens() else quiet + 1
        await self.finish()

    async def leave(self):
        """The app goes on, and its clients go on past us: we end when the last of ours has gone."""
        if self.draining or self.leaving:
            return
        self.leaving = True
        loop = asyncio.get_running_loop()
        began = loop.time()
        while self.clients or loop.time() - began < TURN:
            await asyncio.sleep(0.25)
            if self.draining:
                return  # The pod ends after all: its drain goes on from here.
            if loop.time() - began >= LEAVE:
                self.write_open()
                break
            if loop.time() - began >= TURN:
                await self.send_away()
        await self.finish()

    async def send_away(self):
        busy = {flow.client_conn.id for flow in self.in_flight.values()}
        for id, client in list(self.clients.items()):
            await client.tell_to_leave()
            if id not in busy and client.idle() >= IDLE:
                client.close()

    async def finish(self):
        """Clients shall open their next connection elsewhere, while we wait for followers."""
        self.finishing = True
        ctx.options.server = False
        for server in self.more_servers:
            server.close()
        for client in list(self.clients.values()):
            client.close()
        for _ in range(10):
            if not self.clients:
                break
            await asyncio.sleep(0.1)
        self.file.end()
        for _ in range(FOLLOWERS_TIME * 10):
            if not self.file.is_followed():
                break
            await asyncio.sleep(0.1)
        type(ctx.master).shutdown(ctx.master)

    async def app_listens(self):
        for port in self.ports.values():
            if await port.find_app():
                return True
        return False

    # -- flows

    def requestheaders(self, flow):
        self.in_flight[flow.id] = flow
        request = flow.request
        refuse_h2c_upgrade(request.headers)
        if ctx.options.mittens_forwarded and flow.is_replay is None:
            add_forwarded(request.headers, flow.client_conn)
        # Before it has ended it may be answered already, piece by piece.
        if request.headers.get("content-type", "").lower().startswith("application/grpc"):
            request.stream = self.record(flow, request)

    def responseheaders(self, flow):
        headers = flow.response.headers
        # A gRPC call that fails at once is all headers: before mitmproxy 9 a stream would lose that there is no more.
        if is_stream(headers) and "grpc-status" not in headers:
            flow.response.stream = self.record(flow, flow.response)
        self.ask_to_leave(flow)

    def request(self, flow):
        self.show(flow)

    def response(self, flow):
        self.ask_to_leave(flow)
        if flow.websocket is None:
            self.end(flow)

    def ask_to_leave(self, flow):
        """Clients with kept-alive connections move to a pod that stays, or past us."""
        if (self.draining or self.leaving) and flow.websocket is None and flow.response.status_code != 101:
            if flow.request.http_version.startswith("HTTP/1"):
                flow.response.headers["connection"] = "close"

    def tcp_start(self, flow):
        self.in_flight[flow.id] = flow
        self.let_be_silent(flow)

    def websocket_start(self, flow):
        self.let_be_silent(flow)

    def let_be_silent(self, flow):
        client = self.clients.get(flow.client_conn.id)
        if client:
            client.let_be_silent()

    def tcp_message(self, flow):
        self.trim(flow, flow.messages)

    def websocket_message(self, flow):
        self.trim(flow, flow.websocket.messages)

    def end(self, flow):
        # An answered request can still come to an error.
        is_new = self.in_flight.pop(flow.id, None) is not None
        client = self.clients.get(flow.client_conn.id)
        if client:
            client.was_busy = asyncio.get_running_loop().time()
        self.message_bytes.pop(flow.id, None)
        self.show(flow)
        for recorder in self.recorders.pop(flow.id, []):
            recorder.close()
        self.keep(flow)
        if is_new and flow.id not in self.written_open:
            self.write(flow)

    error = websocket_end = tcp_end = tcp_error = end

    def write(self, flow):
        state = flow.get_state()
        if ctx.options.mittens_body_limit is not None:
            cut_bodies(state, ctx.options.mittens_body_limit)
        self.file.add(state)

    def write_open(self):
        """Connections that their clients do not end are cut off with the pod, and written before."""
        for flow in list(self.in_flight.values()):
            if getattr(flow, "response", None) or flow.type == "tcp":
                self.show(flow)
                self.written_open.add(flow.id)
                self.write(flow)

    # -- streams

    def record(self, flow, message):
        self.let_be_silent(flow)
        recorder = Recorder(message)
        self.recorders.setdefault(flow.id, []).append(recorder)
        return recorder

    def show(self, flow):
        """Puts what has passed of a flow's streams into the flow. @returns whether there is more than before."""
        recorders = self.recorders.get(flow.id, [])
        for recorder in recorders:
            if recorder.passed > len(recorder.kept):
                flow.comment = with_cut(flow.comment, len(recorder.kept), recorder.passed)
        return any([recorder.show() for recorder in recorders])

    async def show_streams(self):
        while True:
            await asyncio.sleep(1)
            grown = [flow for flow in list(self.in_flight.values()) if self.show(flow)]
            if grown:
                ctx.master.view.update(grown)

    # -- memory

    def trim(self, flow, messages):
        if self.has_view():
            if len(messages) > KEPT_MESSAGES:
                del messages[: KEPT_MESSAGES // 2]
            return
        size = self.message_bytes.get(flow.id, 0) + len(messages[-1].content)
        if size > KEPT_MESSAGE_BYTES:
            del messages[: len(messages) // 2 + 1]
            size = sum(len(message.content) for message in messages)
            flow.comment = "mittens: only its last messages"
        self.message_bytes[flow.id] = size

    def keep(self, flow):
        if not self.has_view() or flow.id in self.kept:
            return
        request = getattr(flow, "request", None)
        response = getattr(flow, "response", None)
        size = sum(len(message.raw_content or b"") for message in (request, response) if message)
        self.kept[flow.id] = (flow, size)
        self.kept_bytes += size
        while len(self.kept) > KEPT_FLOWS or (self.kept_bytes > KEPT_BYTES and len(self.kept) > 1):
            _, (oldest, size) = self.kept.popitem(last=False)
            self.kept_bytes -= size
            if not oldest.marked and not oldest.intercepted:
                ctx.master.view.remove([oldest])


addons = [Mittens()]
