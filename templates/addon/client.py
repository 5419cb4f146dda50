"""The connection of a client."""

import asyncio
from socket import SO_KEEPALIVE, SOL_SOCKET

from mitmproxy.connection import Connection
from mitmproxy.proxy.server import ConnectionHandler

from . import limits
from .entrance import Leave


class Client:
    """A client and its connections to the app, and when it last had a request."""

    def __init__(self, handler: ConnectionHandler) -> None:
        self.handler = handler
        self.busy_at = asyncio.get_running_loop().time()
        self.is_told = False

    def note_busy(self) -> None:
        self.busy_at = asyncio.get_running_loop().time()

    def idle(self) -> float:
        """Seconds since it last had a request."""
        return asyncio.get_running_loop().time() - self.busy_at

    async def tell_to_leave(self) -> None:
        """Tells it once that new requests shall not come here."""
        if not self.is_told:
            self.is_told = True
            await self.handler.server_event(Leave())

    def allow_silence(self) -> None:
        """Keeps mitmproxy from closing what only waits. The kernel notices a client that is lost without a word."""
        self.handler.timeout_watchdog.timeout = limits.SILENT
        writer = self.handler.transports[self.handler.client].writer
        if isinstance(writer, asyncio.StreamWriter):
            writer.get_extra_info("socket").setsockopt(SOL_SOCKET, SO_KEEPALIVE, 1)

    def close(self, connection: Connection | None = None) -> None:
        """Closes its own connection, or another of its connections."""
        io = self.handler.transports.get(connection or self.handler.client)
        if io and io.writer:
            io.writer.close()
