"""The ports of the proxy."""

import asyncio
from pathlib import Path

from mitmproxy import ctx

from . import contract, options, tasks
from .port import Port, accepts

APP_POLL = 0.2
PORT_POLL = 0.05


class Ports:
    """Opens the ports when the app listens on its own: a pod that is ready for the proxy is ready for requests."""

    name = "mittens-ports"

    def __init__(self) -> None:
        self.by_number: dict[int, Port] = {}

    def configure(self, updated: set[str]) -> None:
        if contract.PORTS_OPTION in updated and options.port_list():
            ports = [Port.parse(text) for text in options.port_list().split(",")]
            self.by_number = {port.listen: port for port in ports}

    def running(self) -> None:
        tasks.start(self.open())

    async def open(self) -> None:
        ports = list(self.by_number.values())
        for port in ports:
            while not await port.find_app():
                await asyncio.sleep(APP_POLL)
        ctx.options.update(mode=[port.mode() for port in ports], server=True)
        for port in ports:
            while not await accepts("localhost", port.listen):
                await asyncio.sleep(PORT_POLL)
        Path(contract.READY).touch()

    def find(self, number: int) -> Port | None:
        return self.by_number.get(number)

    def leads_to(self, address: object) -> bool:
        """Whether this is where the app listens."""
        return any(address == (port.host, port.app) for port in self.by_number.values())

    async def app_listens(self) -> bool:
        for port in self.by_number.values():
            if await port.find_app():
                return True
        return False
