"""The door: opens its ports when the app listens, keeps its child running, and ends when it is told to."""

import argparse
import os
import signal
import sys
import time
from functools import partial
from pathlib import Path

from addon import contract, limits

from .command_line import pod_addresses
from .connections import Connections
from .control import Control
from .copies import Copying
from .counts import Counts, CountsFile
from .departure import Departure, is_followed
from .dial import Dialer
from .frames import frame_of
from .keeper import Keeper
from .listening import listening_ports
from .loop import Loop
from .port import Port
from .wire import Writer

# How often to look whether the app listens yet, or whether all have read to the end, in s.
LOOK = 0.1
# How often the counts are told, in s.
TELL = 1.0
# How long the child may take to end, beyond what followers may take, in s.
CHILD_TIME = 3.0


class Door:
    """Everything that a tap needs in a pod."""

    def __init__(self, options: argparse.Namespace) -> None:
        """@raises OSError when a port or the wire file can't be had."""
        self._loop = loop = Loop()
        self._counts = Counts()
        self._counts_file = CountsFile(Path(contract.COUNTS))
        self._waits = options.wait and bool(options.command)
        self._app_ports = {port.app for port in options.app_ports}
        opening = frame_of(b"H", 0, {"wire": 1, **about(options)})
        self._keeper = Keeper(loop, options.command, opening, self._end) if options.command else None
        control = self._keeper.control if self._keeper else Control(loop, lambda: None)
        self._wire = Writer(options.wire, options.wire_limit, opening) if options.wire else None
        copying = Copying(self._counts, self._wire, self._keeper.stream if self._keeper else None, options.sample)
        self._connections = Connections(loop, copying, control, self._counts, options.fail_closed)
        self._departure = Departure(loop, self._connections, self._app_listens, self._finish)
        self._ports = self._take_ports(options)
        self._exit_code = 0
        if self._keeper:
            self._keeper.on_start = copying.join
            self._keeper.on_gone = self._connections.child_gone
            control.on("flows", self._note_flows)

    def run(self) -> int:
        """@returns the exit code: 0 when it has left in order."""
        for number in (signal.SIGINT, signal.SIGHUP):  # The terminal is the child's.
            signal.signal(number, signal.SIG_IGN)
        self._loop.on_signal(signal.SIGTERM, self._drain)
        self._loop.on_signal(contract.LEAVE_SIGNAL, self._leave)
        if self._keeper and self._waits:
            self._keeper.start()
        self._open_when_ready()
        self._tell()
        self._loop.run()
        return self._exit_code

    def _take_ports(self, options: argparse.Namespace) -> list[Port]:
        ips = pod_addresses()
        ports = []
        for port in options.app_ports:
            serve = partial(self._connections.serve, port.listen, Dialer(self._loop, ips, port.app))
            ports.append(Port(self._loop, port.listen, serve))
        if options.health is not None:
            ports.append(Port(self._loop, options.health, lambda client, _: client.close()))
        return ports

    def _open_when_ready(self) -> None:
        if self._departure.has_begun:
            return
        is_ready = not self._waits or (self._keeper and self._keeper.control.has_been_ready)
        if not is_ready or not listening_ports().issuperset(self._app_ports):
            self._loop.after(LOOK, self._open_when_ready)
            return
        try:
            for port in self._ports:
                port.open()
        except OSError as error:
            say_port_is_taken(error)
            self._end(1)
            return
        Path(contract.READY).touch()
        if self._keeper and not self._waits:
            self._keeper.start()

    def _app_listens(self) -> bool:
        try:
            return not self._app_ports.isdisjoint(listening_ports())
        except OSError:  # No descriptor is left, for one: somebody is connected, then.
            return True

    def _drain(self) -> None:
        self._departure.drain()
        self._say({"drain": True})

    def _leave(self) -> None:
        self._departure.leave()
        self._say({"leave": True})

    def _say(self, message: dict[str, object]) -> None:
        if self._keeper:
            self._keeper.control.send(message)

    def _finish(self) -> None:
        """Ends what is open still."""
        for port in self._ports:
            port.close()
        self._connections.finish()
        self._loop.after(0 if self._connections.is_empty else limits.CLOSE, self._let_read)

    def _let_read(self) -> None:
        """Nobody is served any more. Those who read what has passed have some time to read the rest."""
        self._connections.abort()
        self._close_wire()
        self._tell_counts()
        if self._keeper:
            self._keeper.end()
        self._end_when_read(time.monotonic() + limits.FOLLOWERS_TIME)

    def _end_when_read(self, deadline: float) -> None:
        over = time.monotonic() - deadline
        is_read = not self._wire or not is_followed() or over >= 0
        has_ended = not self._keeper or not self._keeper.is_alive or over >= CHILD_TIME
        if is_read and has_ended:
            self._end(0)
        else:
            self._loop.after(LOOK, lambda: self._end_when_read(deadline))

    def _end(self, code: int) -> None:
        self._exit_code = code
        self._close_wire()
        self._write_counts()
        if self._keeper:
            self._keeper.kill()
        self._loop.stop()

    def _close_wire(self) -> None:
        if self._wire and not self._wire.is_closed:
            self._wire.close()

    def _tell(self) -> None:
        self._tell_counts()
        self._loop.after(TELL, self._tell)

    def _tell_counts(self) -> None:
        if self._write_counts():
            self._say({"counts": self._counts.as_dict()})

    def _write_counts(self) -> bool:
        """@returns whether they have changed."""
        counts, keeper = self._counts, self._keeper
        self._connections.count()
        counts.child = keeper.state if keeper else "none"
        counts.restarts = keeper.restarts if keeper else 0
        counts.skipped_bytes = (self._wire.skipped if self._wire else 0) + (keeper.stream.skipped if keeper else 0)
        return self._counts_file.write(counts)

    def _note_flows(self, message: dict[str, object]) -> None:
        flows = message["flows"]
        if isinstance(flows, int):
            self._counts.flows = flows


def say_port_is_taken(error: OSError) -> None:
    print(f"the door can't have its port: {error.strerror}", file=sys.stderr)


def about(options: argparse.Namespace) -> dict[str, object]:
    """What the copies say of this pod."""
    ports = [{"listen": port.listen, "app": port.app, "protocol": port.protocol} for port in options.app_ports]
    return {"pod": os.environ.get("HOSTNAME", ""), "ports": ports}
