"""Connections that the door hands over, which mitmproxy then serves."""

import asyncio
import socket
import time

from mitmproxy import ctx
from mitmproxy.addons.proxyserver import Proxyserver
from mitmproxy.proxy.mode_servers import ServerInstance
from mitmproxy.proxy.mode_specs import ReverseMode

from . import tasks
from .control import Control, Message
from .port import Port
from .ports import Ports


class Handover:
    """Takes accepted sockets from the door and has mitmproxy's own server serve them, as if it had accepted them."""

    name = "mittens-handover"

    def __init__(self, control: Control, ports: Ports) -> None:
        self.control = control
        self.ports = ports
        control.on("take", self.take)

    def running(self) -> None:
        # The TUI shows where mitmproxy listens, which the door does for it.
        proxyserver().listen_addrs = lambda: [("0.0.0.0", number) for number in self.ports.by_number]  # type: ignore[method-assign]

    def take(self, message: Message, sent: bytes, descriptors: list[int]) -> None:
        """@param sent: what the client has sent so far."""
        connection = message["take"]
        with socket.socket(fileno=descriptors[0]) as client:
            port = self.ports.find(message["listen"])
            # After the deadline the door takes the connection for refused, and may have relayed it.
            if port is None or not port.host or time.monotonic() > message["deadline"]:
                self.control.send({"refused": connection})
                return
            self.control.send({"took": connection})
            tasks.start(self.serve(connection, port, client.detach(), sent))

    async def serve(self, connection: int, port: Port, descriptor: int, sent: bytes) -> None:
        try:
            reader, writer = await streams(socket.socket(fileno=descriptor), sent)
            server: ServerInstance[ReverseMode] = ServerInstance.make(port.mode(), proxyserver())
            await server.handle_stream(reader, writer)
        finally:
            self.control.send({"end": connection})


async def streams(client: socket.socket, sent: bytes) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """What asyncio makes of a socket that it accepts itself."""
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(loop=loop)
    reader.feed_data(sent)
    protocol = asyncio.StreamReaderProtocol(reader)
    transport, _ = await loop.connect_accepted_socket(lambda: protocol, client)
    return reader, asyncio.StreamWriter(transport, protocol, reader, loop)


def proxyserver() -> Proxyserver:
    server = ctx.master.addons.get("proxyserver")
    assert isinstance(server, Proxyserver)
    return server
