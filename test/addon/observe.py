"""Makes flows of wire files as the observer does in a pod: observe.py WIRE FLOWS [WIRE FLOWS]…"""

import socket
import sys
import threading
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "templates"))

from addon import contract
from addon.flow_writer import FlowWriter
from addon.observer import Observer
from addon.options import Options
from addon.view_bounds import ViewBounds
from addon.watched import Watched
from mitmproxy.test import taddons


def observe(wire: bytes, flows: str) -> None:
    """Sends copies to an observer, and writes the flows that it makes of them."""
    contract.FLOWS = flows  # type: ignore[misc]
    observer, writer = Observer(Watched()), FlowWriter()
    door, copies = socket.socketpair()

    def send() -> None:
        with door:
            door.sendall(wire)

    with taddons.context(Options(), observer, ViewBounds(), writer) as context:
        thread = threading.Thread(target=send)
        thread.start()
        context.master.event_loop.run_until_complete(observer.observe(copies))
        thread.join()
        context.master.event_loop.close()
    if writer.file.file:
        writer.file.file.close()


if __name__ == "__main__":
    for wire, flows in zip(sys.argv[1::2], sys.argv[2::2], strict=True):
        observe(Path(wire).read_bytes(), flows)
