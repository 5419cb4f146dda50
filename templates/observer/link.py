"""The two ends of a connection."""

from dataclasses import dataclass
from typing import Any, Literal

Address = tuple[str, int]
Side = Literal["client", "server"]

OPPOSITE: dict[Side, Side] = {"client": "server", "server": "client"}


@dataclass
class Port:
    """A port of the pod."""

    listen: int
    app: int
    protocol: str


@dataclass
class Link:
    """What is known of a connection's two ends."""

    client: Address
    server: Address | None
    """Where the app was reached; None if it refused the connection."""
    port: Port
    start: float
    """When the client connected, in seconds since 1970."""
    client_end: float | None = None
    server_end: float | None = None
    shown: Any = None
    """What the listener has made of it."""

    @property
    def address(self) -> Address:
        """Where requests went. An app that refuses a connection was looked for on localhost last."""
        return self.server or ("localhost", self.port.app)

    def mode(self) -> str:
        """The mode in which mitmproxy would have served it, as addon/port.py names it."""
        scheme = "https" if self.port.protocol == "https" else "http"
        host = self.address[0]
        return f"reverse:{scheme}://{f'[{host}]' if ':' in host else host}:{self.port.app}@{self.port.listen}"

    def close(self, side: Side, time: float) -> None:
        """One side has closed its connection."""
        if side == "client":
            self.client_end = time if self.client_end is None else self.client_end
        else:
            self.server_end = time if self.server_end is None else self.server_end
