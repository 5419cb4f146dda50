"""Which way new connections go: watched, or through mitmproxy."""

import re
from typing import Literal

from mitmproxy import ctx

from . import options
from .control import Control
from .ports import Ports

Lane = Literal["watch", "change"]

# Options by which traffic stays as it is. Every other that is not as mitmproxy has it by default changes something.
LOOKS = re.compile(
    r"(console|view|web|content_view|readfile|rfile|save_stream|hardump|dumper|flow|termlog|show|export|client_replay"
    r"|command_history|confdir|key|mittens|onboarding|intercept_active|server_replay_|proxy_debug|listen)"
)
# These, too, but only as scripts/lib/plan/container.ts and ports.py set them.
OURS = {
    "mode",
    "server",
    "scripts",
    "keep_host_header",
    "connection_strategy",
    "block_global",
    "validate_inbound_headers",
    "ssl_insecure",
    "stream_large_bodies",
}


class Lanes:
    """Tells the door which lane new connections take, by the options: those of the start, and those set since."""

    name = "mittens-lanes"

    def __init__(self, control: Control, ports: Ports) -> None:
        self.control = control
        self.ports = ports
        self.told: Lane | None = None

    def running(self) -> None:
        self.ports.when_found(self.tell)

    def configure(self, _: set[str]) -> None:
        # Before the first time the door takes us for a mitmproxy that still starts.
        if self.told:
            self.tell()

    def tell(self) -> None:
        lane: Lane = "change" if changes_traffic(self.ports) else "watch"
        if lane != self.told:
            self.told = lane
            self.control.send({"lane": lane})


def changes_traffic(ports: Ports) -> bool:
    """Whether connections must go through mitmproxy."""
    ends_tls = any(port.protocol == "https" for port in ports.by_number.values())
    return ends_tls or has_scripts() or options.adds_forwarded() or any(map(changes, ctx.options.keys()))


def has_scripts() -> bool:
    # One is the addon.
    return len(ctx.options.scripts) > 1


def changes(name: str) -> bool:
    """Whether an option is set by which mitmproxy may change, hold or answer something."""
    if name in OURS or LOOKS.match(name):
        return False
    if name == "intercept" and not ctx.options.intercept_active:
        return False
    return bool(getattr(ctx.options, name) != ctx.options.default(name))
