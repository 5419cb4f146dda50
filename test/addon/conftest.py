"""What the tests of the addon share. `make test-all` runs them with the mitmproxy of the other tests."""

import asyncio
import json
import logging
import socket
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from addon import contract
from addon.connections import Connections
from addon.control import Control
from addon.counts import Counts
from addon.departure import Departure
from addon.flow_writer import FlowWriter
from addon.headers import Headers
from addon.options import Options
from addon.ports import Ports
from addon.streams import Streams
from addon.view_bounds import ViewBounds
from addon.watched import Watched
from mitmproxy import io
from mitmproxy.flow import Flow
from mitmproxy.http import HTTPFlow
from mitmproxy.test import taddons, tflow


class FakeView:
    """The view of the TUI and mitmweb, as far as the addon uses it."""

    def __init__(self) -> None:
        self.updated: list[str] = []
        self.removed: list[str] = []

    def __len__(self) -> int:
        return 0

    def update(self, flows: list[Flow]) -> None:
        self.updated += [flow.id for flow in flows]

    def remove(self, flows: list[Flow]) -> None:
        self.removed += [flow.id for flow in flows]


@dataclass
class Proxy:
    """The parts of the addon in a mitmproxy that serves nobody."""

    ports: Ports
    connections: Connections
    streams: Streams
    writer: FlowWriter
    departure: Departure
    bounds: ViewBounds
    context: taddons.context
    control: Control
    # The door's end of the control socket.
    door: socket.socket

    def hear(self) -> dict[str, Any]:
        """The next message to the door."""
        message: dict[str, Any] = json.loads(self.door.recv(1024))
        return message

    def set(self, **options: Any) -> None:
        self.context.options.update(**options)

    def call(self, hook: str, flow: Flow) -> None:
        """Calls a hook of all parts, in script.py's order."""
        for addon in self.context.master.addons.chain:
            method = getattr(addon, hook, None)
            if method:
                method(flow)

    def show_to(self, view: FakeView) -> None:
        self.context.master.view = view  # type: ignore[attr-defined]


@pytest.fixture
def run_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for the files of the addon."""
    for name in ("FLOWS", "FOLLOWERS"):
        monkeypatch.setattr(contract, name, str(tmp_path / Path(getattr(contract, name)).name))
    return tmp_path


@pytest.fixture
def proxy(run_folder: Path) -> Iterator[Proxy]:
    ours, door = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    door.settimeout(30)
    control = Control(ours)
    ports = Ports()
    connections = Connections(ports)
    streams = Streams(connections)
    writer = FlowWriter()
    watched = Watched()
    departure = Departure(control, Counts(control, watched), connections, streams, watched, writer)
    bounds = ViewBounds()
    addons = [Options(), ports, connections, Headers(), streams, departure, bounds, writer]
    handlers = list(logging.getLogger().handlers)
    with taddons.context(*addons) as context:
        yield Proxy(ports, connections, streams, writer, departure, bounds, context, control, door)
    # mitmproxy's master removes its own only when it has run.
    context.master.event_loop.close()
    ours.close()
    door.close()
    if writer.file.file:
        writer.file.file.close()
    for handler in logging.getLogger().handlers[:]:
        if handler not in handlers:
            logging.getLogger().removeHandler(handler)


@pytest.fixture
def run_async() -> Callable[[Callable[[], Awaitable[None]]], None]:
    """Runs a coroutine in a loop of its own."""

    def run(work: Callable[[], Awaitable[None]]) -> None:
        async def main() -> None:
            await asyncio.wait_for(work(), 30)

        asyncio.run(main())

    return run


def make_flow(path: str = "/path", body: bytes = b"", **options: Any) -> HTTPFlow:
    """A flow with a request and a response."""
    flow = tflow.tflow(resp=True, **options)
    flow.request.path = path
    assert flow.response
    flow.response.content = body
    return flow


def read_flows(folder: Path) -> list[Flow]:
    """The flows that were written. Fails where the last one is cut."""
    with open(folder / Path(contract.FLOWS).name, "rb") as file:
        return list(io.FlowReader(file).stream())


def read_paths(folder: Path) -> list[str]:
    return [flow.request.path for flow in read_flows(folder) if isinstance(flow, HTTPFlow)]
