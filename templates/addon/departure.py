"""How the proxy ends."""

import asyncio
from collections.abc import Callable

from door.departure import is_followed
from mitmproxy import ctx
from mitmproxy.http import HTTPFlow
from mitmproxy.tcp import TCPFlow

from . import limits, tasks
from .connections import Connections
from .control import Control
from .counts import Counts
from .flow_writer import FlowWriter
from .streams import Streams
from .watched import Watched

POLL = 0.25
WAIT_POLL = 0.1


class Departure:
    """Ends the proxy without cutting off a request that mitmproxy serves.

    The door says when: "drain" when the pod ends, "leave" when the Service no longer points here. It goes on until no
    connection is left, and then closes the copies, which ends mitmproxy.
    """

    name = "mittens-departure"

    def __init__(
        self,
        control: Control,
        counts: Counts,
        connections: Connections,
        streams: Streams,
        watched: Watched,
        writer: FlowWriter,
    ) -> None:
        self.control = control
        self.counts = counts
        self.connections = connections
        self.streams = streams
        self.watched = watched
        self.writer = writer
        self.draining = False
        self.leaving = False
        control.on("drain", lambda *_: tasks.start(self.drain()))
        control.on("leave", lambda *_: tasks.start(self.leave()))

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
        """The app has been told to end, and closes its connections itself."""
        self.draining = True
        await asyncio.sleep(limits.LINGER)
        self.write_open_flows()

    async def leave(self) -> None:
        """The app goes on, and its clients are to open their next connections elsewhere."""
        self.leaving = True
        await asyncio.sleep(limits.TURN)
        loop = asyncio.get_running_loop()
        began = loop.time()
        while self.connections.clients and loop.time() - began < limits.LEAVE - limits.TURN:
            await self.send_clients_away()
            await asyncio.sleep(POLL)
        self.write_open_flows()

    async def send_clients_away(self) -> None:
        busy = {flow.client_conn.id for flow in self.writer.open.values()}
        for id, client in list(self.connections.clients.items()):
            await client.tell_to_leave()
            if id not in busy and client.idle() >= limits.IDLE:
                client.close()

    def write_open_flows(self) -> None:
        """Writes the flows whose clients do not end them: they are cut off with the proxy."""
        self.watched.show_open()
        for flow in list(self.writer.open.values()):
            if isinstance(flow, TCPFlow) or flow.response:
                self.streams.show(flow)
                self.writer.write_early(flow)

    async def finish(self) -> None:
        """Closes what is open, and waits for the followers."""
        for client in list(self.connections.clients.values()):
            client.close()
        await wait_while(lambda: bool(self.connections.clients), limits.CLOSE)
        # The door has told how much was not read, before it closed the copies.
        self.control.receive()
        self.writer.file.end(self.counts.unread)
        await wait_while(is_followed, limits.FOLLOWERS_TIME)
        # The master's own shutdown may be the one for `q`: quit_key.py.
        type(ctx.master).shutdown(ctx.master)


async def wait_while(condition: Callable[[], bool], seconds: float) -> None:
    """Waits until the condition no longer holds, or the time has passed."""
    for _ in range(round(seconds / WAIT_POLL)):
        if not condition():
            return
        await asyncio.sleep(WAIT_POLL)
