"""The observer: shows the connections that are only watched, of which a door sends copies."""

import asyncio
import logging
import os
import socket
from collections.abc import Awaitable, Callable

from observer.budget import Budget
from observer.decoder import Decoder

from . import contract, interface, limits, tasks
from .watched import Watched

CHUNK = 64 * 1024

logger = logging.getLogger(__name__)


async def nothing() -> None:
    """When nobody wants to know."""


class Observer:
    """Reads copies, and makes flows of them in slices of time, so that the TUI stays responsive."""

    name = "mittens-observer"

    def __init__(
        self,
        watched: Watched,
        on_boundary: Callable[[int, bool], None] = lambda connection, is_boundary: None,
        on_end: Callable[[], Awaitable[None]] = nothing,
    ) -> None:
        """`on_boundary` gets the answers to what the door asks: whether a connection is between two requests.

        `on_end` is called when the door has closed the copies.
        """
        self.watched = watched
        self.on_boundary = on_boundary
        self.on_end = on_end
        # Until the end of the copies.
        self.reading: asyncio.Task[None] | None = None
        self.is_cut = False

    def running(self) -> None:
        number = os.environ.get(contract.COPIES)
        if number and self.reading is None:
            self.reading = tasks.start(self.observe(socket.socket(fileno=int(number))))
            if interface.find_view() is not None:
                tasks.start(self.refresh_view())

    async def observe(self, copies: socket.socket) -> None:
        """Reads until the end; what is open then ends as it is."""
        decoder = self.create_decoder()
        copies.setblocking(False)
        try:
            # The door sees when nobody reads its copies any more.
            with copies:
                await self.read(copies, decoder)
        except Exception as error:
            logger.error("mittens: the copies can't be read any further: %s", error)
        finally:
            decoder.end()
        await self.on_end()

    def create_decoder(self) -> Decoder:
        budget = Budget(limits.STREAM_BYTES, limits.STREAMS_BYTES, limits.OPEN_BYTES)
        return Decoder(self.watched, budget, self.on_boundary)

    async def read(self, copies: socket.socket, decoder: Decoder) -> None:
        loop = asyncio.get_running_loop()
        # To receive what is there already lets nobody else work.
        began = loop.time()
        while chunk := await loop.sock_recv(copies, CHUNK):
            for _ in decoder.push(chunk):
                if loop.time() - began >= limits.SLICE:
                    await asyncio.sleep(0)
                    began = loop.time()
            self.tell_cut(decoder.cut)

    def tell_cut(self, cut: int) -> None:
        """Says once that not everything is shown."""
        if cut and not self.is_cut:
            self.is_cut = True
            logger.warning("mittens: connections are not shown to their end: more is open than is kept in memory")

    async def refresh_view(self) -> None:
        while self.reading and not self.reading.done():
            await asyncio.sleep(limits.SHOW_STREAMS)
            self.watched.refresh_view()
