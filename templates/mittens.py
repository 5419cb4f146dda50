"""The mitmproxy addon of mittens, for mitmproxy 8.1 and later: the only code of ours in the cluster.

It travels in an environment variable and is loaded with `--scripts`. It
  - opens the proxy's ports only once the app listens on its own, so that a pod which is ready
    for the proxy is ready for requests;
  - lets `q` in the TUI give the Service back before mitmproxy ends: it tells the viewer by the
    terminal's title, and goes on until Kubernetes ends the container;
  - leaves after the app does when Kubernetes ends the pod, so that no request is cut off;
  - streams server-sent events, and bounds what the TUI keeps in memory.
"""

import asyncio
import signal
import sys
from collections import OrderedDict
from urllib.parse import urlsplit

from mitmproxy import ctx

# scripts/lib/session.ts looks for this title.
QUIT_TITLE = "mittens:quit"
KEPT_FLOWS = 5000
KEPT_BYTES = 128 * 1024 * 1024
KEPT_MESSAGES = 1000


async def accepts(port):
    try:
        _, writer = await asyncio.wait_for(asyncio.open_connection("localhost", port), 1)
    except (OSError, asyncio.TimeoutError):
        return False
    writer.close()
    return True


class Mittens:
    def __init__(self):
        self.ports = OrderedDict()
        self.in_flight = set()
        self.kept = OrderedDict()
        self.kept_bytes = 0
        self.draining = False
        self.tasks = []

    def load(self, loader):
        loader.add_option("mittens_ports", str, "", "LISTEN=URL pairs, separated by commas.")

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
        while quiet < 2:
            await asyncio.sleep(0.25)
            quiet = 0 if self.in_flight or await self.app_listens() else quiet + 1
        type(ctx.master).shutdown(ctx.master)

    async def app_listens(self):
        for app in self.ports.values():
            if await accepts(app.port):
                return True
        return False

    # -- flows

    def requestheaders(self, flow):
        self.in_flight.add(flow.id)
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
        self.in_flight.add(flow.id)

    def tcp_message(self, flow):
        self.trim(flow.messages)

    def websocket_message(self, flow):
        self.trim(flow.websocket.messages)

    def end(self, flow):
        self.in_flight.discard(flow.id)
        self.keep(flow)

    error = websocket_end = tcp_end = tcp_error = end

    # -- memory

    def trim(self, messages):
        if self.has_tui() and len(messages) > KEPT_MESSAGES:
            del messages[: KEPT_MESSAGES // 2]

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
