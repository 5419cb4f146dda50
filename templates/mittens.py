"""The mitmproxy addon of mittens, for mitmproxy 8.1 and later: the only code of ours in the cluster.

It travels in an environment variable and is loaded with `--scripts`. It
  - opens the proxy's ports only once the app listens on its own, so that a pod which is ready
    for the proxy is ready for requests;
  - lets `q` in the TUI give the Service back before mitmproxy ends: it tells the viewer by the
    terminal's title, and goes on until Kubernetes ends the container;
  - leaves after the app does when Kubernetes ends the pod, so that no request is cut off;
  - streams server-sent events, and bounds what is kept in memory;
  - writes every flow to a file as soon as it has ended, for mittens to follow, and waits at the end
    until that has been read.
"""

import asyncio
import os
import signal
import sys
import typing
from collections import OrderedDict
from urllib.parse import urlsplit

from mitmproxy import ctx
from mitmproxy.io import tnetstring

# scripts/lib/session.ts looks for this title.
QUIT_TITLE = "mittens:quit"
KEPT_FLOWS = 5000
KEPT_BYTES = 128 * 1024 * 1024
KEPT_MESSAGES = 1000
# Of one connection without the TUI, where the file is to have them all.
KEPT_MESSAGE_BYTES = 64 * 1024 * 1024

# scripts/lib/follow.ts reads this file, and has an entry in that folder until it has read the end.
FLOWS = "/tmp/mittens.flows"
FOLLOWERS = "/tmp/mittens.followers"
FILE_BYTES = 1024 * 1024 * 1024
# In the last moments of a pod, in seconds: when what is still open is written as it is then, and how
# long followers may take. Together they leave time within Kubernetes' 30 s.
LINGER = 6
LEAVE = 15


async def accepts(port):
    try:
        _, writer = await asyncio.wait_for(asyncio.open_connection("localhost", port), 1)
    except (OSError, asyncio.TimeoutError):
        return False
    writer.close()
    return True


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
        note = f"mittens: cut to {limit} bytes, the longest from {longest}"
        state["comment"] = "\n".join(filter(None, [state.get("comment"), note]))


class Mittens:
    def __init__(self):
        self.ports = OrderedDict()
        self.in_flight = {}
        self.message_bytes = {}
        self.written_open = set()
        self.file = FlowFile()
        self.kept = OrderedDict()
        self.kept_bytes = 0
        self.draining = False
        self.tasks = []

    def load(self, loader):
        loader.add_option("mittens_ports", str, "", "LISTEN=URL pairs, separated by commas.")
        loader.add_option("mittens_body_limit", typing.Optional[int], None, "Bytes of a body that are written.")

    def configure(self, updated):
        if "mittens_ports" in updated and ctx.options.mittens_ports:
            pairs = (pair.split("=", 1) for pair in ctx.options.mittens_ports.split(","))
            self.ports = OrderedDict((int(listen), urlsplit(app)) for listen, app in pairs)

    async def running(self):
        # Through the loop, as mitmproxy does since 9.0: a handler set past it would run beside mitmproxy's own.
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, lambda: self.start(self.drain()))
        if self.has_tui():
            ctx.master.shutdown = self.quit
        self.start(self.open())

    def start(self, coroutine):
        self.tasks.append(asyncio.ensure_future(coroutine))

    # -- the proxy's ports

    async def open(self):
        for app in self.ports.values():
            while not await accepts(app.port):
                await asyncio.sleep(0.2)
        more = list(self.ports.items())[1:]
        if self.takes_several_modes():
            first = list(ctx.options.mode)
            modes = first + [f"reverse:{app.geturl()}@{listen}" for listen, app in more]
            ctx.options.update(mode=modes, server=True)
        else:
            serve = ctx.master.addons.get("proxyserver").handle_tcp_connection
            for listen, _ in more:
                await asyncio.start_server(serve, "", listen)
            ctx.options.server = True

    def takes_several_modes(self):
        """mitmproxy takes several modes since 9.0; before, one, and we route by the port."""
        return not isinstance(ctx.options.mode, str)

    # -- the ways out

    def has_tui(self):
        return hasattr(ctx.master, "prompt_for_exit")

    def quit(self):
        from mitmproxy.tools.console import signals

        # The title, for tmux; and a line's end, which flushes it into the container's log, at a
        # place on the screen where it scrolls nothing.
        sys.stdout.write(f"\033]2;{QUIT_TITLE}\007\0337\033[H\n\0338")
        sys.stdout.flush()
        signals.status_message.send(message="Giving the Service back ...", expire=120)

    async def drain(self):
        if self.draining:
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
        self.close()
        self.file.end()
        for _ in range(LEAVE * 10):
            if not self.file.is_followed():
                break
            await asyncio.sleep(0.1)
        type(ctx.master).shutdown(ctx.master)

    def close(self):
        """The app is gone: clients shall open their next connection elsewhere, while we wait for followers."""
        ctx.options.server = False
        server = ctx.master.addons.get("proxyserver")
        connections = getattr(server, "connections", None) or getattr(server, "_connections", {})
        for handler in list(connections.values()):
            io = handler.transports.get(handler.client)
            if io and io.writer:
                io.writer.close()

    async def app_listens(self):
        for app in self.ports.values():
            if await accepts(app.port):
                return True
        return False

    # -- flows

    def requestheaders(self, flow):
        self.in_flight[flow.id] = flow
        if not self.takes_several_modes():
            app = self.ports.get(flow.client_conn.sockname[1])
            if app:
                flow.request.scheme = app.scheme
                flow.request.data.port = app.port  # the property would rewrite the Host header too

    def responseheaders(self, flow):
        if flow.response.headers.get("content-type", "").lower().startswith("text/event-stream"):
            flow.response.stream = True
        self.ask_to_leave(flow)

    def response(self, flow):
        self.ask_to_leave(flow)
        if flow.websocket is None:
            self.end(flow)

    def ask_to_leave(self, flow):
        """Clients with kept-alive connections move to a pod that stays."""
        if self.draining and flow.websocket is None and flow.response.status_code != 101:
            if flow.request.http_version.startswith("HTTP/1"):
                flow.response.headers["connection"] = "close"

    def tcp_start(self, flow):
        self.in_flight[flow.id] = flow

    def tcp_message(self, flow):
        self.trim(flow, flow.messages)

    def websocket_message(self, flow):
        self.trim(flow, flow.websocket.messages)

    def end(self, flow):
        # An answered request can still come to an error.
        is_new = self.in_flight.pop(flow.id, None) is not None
        self.message_bytes.pop(flow.id, None)
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
                self.written_open.add(flow.id)
                self.write(flow)

    # -- memory

    def trim(self, flow, messages):
        if self.has_tui():
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
        if not self.has_tui() or flow.id in self.kept:
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
