"""The ports of the proxy."""

import asyncio
from collections.abc import Callable

from mitmproxy import ctx

from . import contract, options, tasks
from .port import Port

APP_POLL = 0.2


class Ports:
    """The ports on which the door listens, and where the app does."""

    name = "mittens-ports"

    def __init__(self) -> None:
        self.by_number: dict[int, Port] = {}
        self.waiting: list[Callable[[], None]] = []

    def configure(self, updated: set[str]) -> None:
        if contract.PORTS_OPTION in updated and options.port_list():
            ports = [Port.parse(text) for text in options.port_list().split(",")]
            self.by_number = {port.listen: port for port in ports}

    def running(self) -> None:
        tasks.start(self.find_apps())

    def when_found(self, call: Callable[[], None]) -> None:
        """Calls once it is known where the app listens on all ports."""
        self.waiting.append(call)

    async def find_apps(self) -> None:
        ports = list(self.by_number.values())
        for port in ports:
            while not await port.find_app():
                await asyncio.sleep(APP_POLL)
        ctx.options.update(mode=[port.mode() for port in ports])
        for call in self.waiting:
            call()

    def find(self, number: int) -> Port | None:
        return self.by_number.get(number)

    def leads_to(self, address: object) -> bool:
        """Whether this is where the app listens."""
        return any(address == (port.host, port.app) for port in self.by_number.values())
