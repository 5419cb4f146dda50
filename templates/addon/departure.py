"""How the proxy ends."""

import asyncio
import signal
from collections.abc import Callable

from mitmproxy import ctx
from mitmproxy.http import HTTPFlow
from mitmproxy.tcp import TCPFlow

from . import contract, limits, tasks
from .connections import Connections
from .flow_file import is_followed
from .flow_writer import FlowWriter
from .ports import Ports
from .streams import Streams

POLL = 0.25
WAIT_POLL = 0.1
# The app has ended when it has not been seen so many times in a row.
QUIET_POLLS = 2


class Departure:
    """Ends the proxy without cutting off a request.

    SIGTERM: the pod ends. The proxy ends after the app.
    LEAVE_SIGNAL: the Service no longer points here. The app goes on; the proxy ends after its last client.
    """

    name = "mittens-departure"

    def __init__(self, ports: Ports, connections: Connections, streams: Streams, writer: FlowWriter) -> None:
        self.ports = ports
        self.connections = connections
        self.streams = streams
        self.writer = writer
        self.draining = False
        self.leaving = False
        self.finishing = False

    def running(self) -> None:
        # By the loop, as mitmproxy does: otherwise mitmproxy's own handler of SIGTERM would run, too.
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, lambda: tasks.start(self.drain()))
        loop.add_signal_handler(contract.LEAVE_SIGNAL, lambda: tasks.start(self.leave()))

    def responseheaders(self, flow: HTTPFlow) -> None:
        self.ask_client_to_leave(flow)

    def response(self, flow: HTTPFlow) -> None:
        self.ask_client_to_leave(flow)

    def ask_client_to_leave(self, flow: HTTPFlow) -> None:
        """Lets a client with kept-alive connections open the next one elsewhere."""
        is_upgrade = flow.websocket is not None or (flow.response and flow.response.status_code == 101)
        if not (self.draining or self.leaving) or is_upgrade:
            return
        if flow.response and flow.request.http_version.startswith("HTTP/1"):
            flow.response.headers["connection"] = "close"

    async def drain(self) -> None:
        """Ends the proxy after the app."""
        if self.draining or self.finishing:
            return
        self.draining = True
        loop = asyncio.get_running_loop()
        began = loop.time()
        quiet = 0
        is_written = False
        while quiet < QUIET_POLLS:
            await asyncio.sleep(POLL)
            if not is_written and loop.time() - began >= limits.LINGER:
                is_written = True
                self.write_open_flows()
            quiet = 0 if self.writer.open or await self.ports.app_listens() else quiet + 1
        await self.finish()

    async def leave(self) -> None:
        """Ends the proxy after its last client."""
        if self.draining or self.leaving:
            return
        self.leaving = True
        loop = asyncio.get_running_loop()
        began = loop.time()
        while self.connections.clients or loop.time() - began < limits.TURN:
            await asyncio.sleep(POLL)
            if self.draining:
                return  # The pod ends after all, and `drain` goes on from here.
            if loop.time() - began >= limits.LEAVE:
                self.write_open_flows()
                break
            if loop.time() - began >= limits.TURN:
                await self.send_clients_away()
        await self.finish()

    async def send_clients_away(self) -> None:
        busy = {flow.client_conn.id for flow in self.writer.open.values()}
        for id, client in list(self.connections.clients.items()):
            await client.tell_to_leave()
            if id not in busy and client.idle() >= limits.IDLE:
                client.close()

    def write_open_flows(self) -> None:
        """Writes the flows whose clients do not end them: they are cut off with the proxy."""
        for flow in list(self.writer.open.values()):
            if isinstance(flow, TCPFlow) or flow.response:
                self.streams.show(flow)
                self.writer.write_early(flow)

    async def finish(self) -> None:
        """Closes what is open, and waits for the followers."""
        self.finishing = True
        ctx.options.server = False
        for client in list(self.connections.clients.values()):
            client.close()
        await wait_while(lambda: bool(self.connections.clients), limits.CLOSE)
        self.writer.file.end()
        await wait_while(is_followed, limits.FOLLOWERS_TIME)
        # The master's own shutdown may be the one for `q`: quit_key.py.
        type(ctx.master).shutdown(ctx.master)


async def wait_while(condition: Callable[[], bool], seconds: float) -> None:
    """Waits until the condition no longer holds, or the time has passed."""
    for _ in range(round(seconds / WAIT_POLL)):
        if not condition():
            return
        await asyncio.sleep(WAIT_POLL)
