"""python3 -m door --port LISTEN=APP [--port …] [--wire FILE] [--pod-ip IP] …: relays until it is told to leave."""

import argparse
import os
import resource
import signal
import sys
from pathlib import Path

from .dial import Dialer
from .listening import listening_ports
from .loop import Loop
from .port import Port
from .wire import Writer

# How often to look whether the app listens yet, in s.
LOOK = 0.1
# How long kube-proxy may take to see that the Service no longer points here, in s.
TURN = 2.0


def main(argv: list[str]) -> int:
    """@returns the exit code: 0 when it has left in order, 1 when it could not begin."""
    options = parse(argv)
    allow_many_descriptors()
    loop = Loop()
    wire = Writer(options.wire, options.wire_limit, about(options))
    try:
        ports = [Port(loop, listen, Dialer(loop, options.pod_ip, app), wire) for listen, app in options.port]
    except OSError as error:
        print(f"the door can't have its port: {error.strerror}", file=sys.stderr)
        return 1
    door = Door(loop, ports, [app for _, app in options.port], options.ready)
    door.run(drain=options.drain)
    wire.close()
    return 0


class Door:
    """Opens the ports once the app listens, and leaves when it is told to and nobody is connected any more."""

    def __init__(self, loop: Loop, ports: list[Port], app_ports: list[int], ready: Path) -> None:
        self._loop = loop
        self._ports = ports
        self._app_ports = app_ports
        self._ready = ready
        self._is_leaving = False

    def run(self, drain: float) -> None:
        """@param drain: how many seconds connections may go on after the signal to leave."""
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1):
            self._loop.on_signal(number, lambda: self._leave(drain))
        self._open_when_app_listens()
        self._loop.run()

    def _open_when_app_listens(self) -> None:
        if self._is_leaving:
            return
        if not listening_ports().issuperset(self._app_ports):
            self._loop.after(LOOK, self._open_when_app_listens)
            return
        for port in self._ports:
            port.open()
        self._ready.touch()

    def _leave(self, drain: float) -> None:
        if self._is_leaving:
            return
        self._is_leaving = True
        self._loop.after(TURN, self._leave_when_empty)
        self._loop.after(drain, self._leave_now)

    def _leave_when_empty(self) -> None:
        if any(port.connections for port in self._ports):
            self._loop.after(LOOK, self._leave_when_empty)
        else:
            self._leave_now()

    def _leave_now(self) -> None:
        for port in self._ports:
            port.close()
            for connection in list(port.connections):
                connection.abort()
        self._loop.stop()


def parse(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="door")
    parser.add_argument("--port", type=pair, action="append", required=True, metavar="LISTEN=APP")
    parser.add_argument("--pod-ip", action="append", default=[], metavar="IP")
    parser.add_argument("--wire", type=Path, required=True, metavar="FILE")
    parser.add_argument("--wire-limit", type=int, default=1024**3, metavar="BYTES")
    parser.add_argument("--ready", type=Path, required=True, metavar="FILE")
    parser.add_argument("--drain", type=float, default=20.0, metavar="SECONDS")
    return parser.parse_args(argv)


def pair(text: str) -> tuple[int, int]:
    listen, app = text.split("=")
    return int(listen), int(app)


def about(options: argparse.Namespace) -> dict[str, object]:
    return {
        "pod": os.environ.get("HOSTNAME", ""),
        "ports": [{"listen": listen, "app": app} for listen, app in options.port],
    }


def allow_many_descriptors() -> None:
    """Two for each connection."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
