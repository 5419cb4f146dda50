"""A port of the proxy."""

import asyncio
import os
import re
from dataclasses import dataclass

from mitmproxy import exceptions

from . import contract

PROTOCOLS = ("auto", "http", "https", "h2c", "tcp")
CONNECT_TIME = 1


@dataclass
class Port:
    listen: int
    protocol: str
    app: int
    """The port of the app."""
    host: str = ""
    """The address of the app, once it has been found."""

    @classmethod
    def parse(cls, text: str) -> "Port":
        """Parses LISTEN=PROTOCOL:APPPORT. Raises OptionsError."""
        match = re.fullmatch(r"(\d+)=(\w+):(\d+)", text)
        if not match or match[2] not in PROTOCOLS:
            raise exceptions.OptionsError(f"{contract.PORTS_OPTION}: {text} is not LISTEN=PROTOCOL:APPPORT")
        return cls(int(match[1]), match[2], int(match[3]))

    async def find_app(self) -> bool:
        """Whether the app accepts connections: on the address of the pod, or only on localhost."""
        for host in (os.environ.get(contract.POD_ADDRESS), "localhost"):
            if host and await accepts(host, self.app):
                self.host = host
                return True
        return False

    def mode(self) -> str:
        """The mode that mitmproxy shows. The Entrance decides which layers a connection gets."""
        scheme = "https" if self.protocol == "https" else "http"
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"reverse:{scheme}://{host}:{self.app}@{self.listen}"


async def accepts(host: str, port: int) -> bool:
    """Whether somebody listens there."""
    try:
        _, writer = await asyncio.wait_for(asyncio.open_connection(host, port), CONNECT_TIME)
    except (OSError, asyncio.TimeoutError):  # noqa: UP041, which is wrong for Python 3.10
        return False
    writer.close()
    return True
