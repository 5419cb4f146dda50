"""Copies in frames: docs/wire.md."""

from collections.abc import Callable, Iterator

from .budget import Budget
from .connection import Connection
from .frame import Frame, FrameReader
from .link import Link, Port, Side
from .listener import Listener
from .payload import parse_address, parse_beginning, parse_count, parse_object

SIDES: dict[str, Side] = {"C": "client", "S": "server", "c": "client", "s": "server", "r": "client", "R": "server"}


class Decoder:
    """Tells a listener what passed. Its memory grows with what is open, within the budget."""

    def __init__(self, listener: Listener, budget: Budget, on_boundary: Callable[[int, bool], None]) -> None:
        """`on_boundary` is told, when a frame asks, whether a connection is between two requests."""
        self._listener = listener
        self._budget = budget
        self._on_boundary = on_boundary
        self._reader = FrameReader()
        self._connections: dict[int, Connection] = {}
        self._ports: dict[int, Port] = {}
        self._time = 0.0
        # How many connections were read no further, because more was open at once than is kept in memory.
        self.cut = 0

    def push(self, chunk: bytes) -> Iterator[None]:
        """Takes a chunk of any length, and stops after each piece of it. Raises FrameError for what are no frames."""
        for frame in self._reader.push(chunk):
            self._time = frame.time
            if frame.type in "CS":
                yield from self._read_bytes(frame)
            else:
                self._read_event(frame)
                yield

    def end(self) -> None:
        """Nothing more comes: what is open ends as it is."""
        self._cut_all(self._time)

    def _read_bytes(self, frame: Frame) -> Iterator[None]:
        side = SIDES[frame.type]
        data = frame.payload
        at = 0
        while at < len(data):
            connection = self._connections.get(frame.connection)
            if not connection:
                return
            size = connection.slice
            connection.push(side, data[at : at + size], frame.time)
            at += size
            self._check(frame.connection, connection)
            yield

    def _check(self, id: int, connection: Connection) -> None:
        """Reads a connection no further when there is no room for it."""
        if connection.account.is_exceeded():
            connection.cut("more was open at once than is kept in memory", self._time)
            del self._connections[id]
            self.cut += 1

    def _read_event(self, frame: Frame) -> None:
        if frame.type == "H":
            self._begin(frame)
        elif frame.type == "O":
            self._open(frame)
        elif frame.type == "Q":
            connection = self._connections.get(frame.connection)
            self._on_boundary(frame.connection, connection is not None and connection.is_at_boundary())
        elif connection := self._connections.get(frame.connection):
            self._read_connection_event(connection, frame)

    def _read_connection_event(self, connection: Connection, frame: Frame) -> None:
        if frame.type in "cs":
            connection.end(SIDES[frame.type], frame.time)
        elif frame.type in "rR":
            connection.reset(SIDES[frame.type], frame.time)
        elif frame.type == "G":
            about = parse_object(frame)
            connection.skip(parse_count(frame, about, "client"), parse_count(frame, about, "app"), frame.time)
        elif frame.type == "X":
            del self._connections[frame.connection]
            connection.close(frame.time)

    def _begin(self, frame: Frame) -> None:
        """Connections of one file know nothing of those of the next."""
        self._cut_all(frame.time)
        self._ports = parse_beginning(frame)

    def _cut_all(self, time: float) -> None:
        for connection in self._connections.values():
            connection.cut("the capture ended before the connection did", time)
        self._connections.clear()

    def _open(self, frame: Frame) -> None:
        about = parse_object(frame)
        client, server = parse_address(frame, about, "client"), parse_address(frame, about, "server")
        listen = parse_count(frame, about, "listen")
        port = self._ports.get(listen) or Port(listen, server[1] if server else 0, "auto")
        previous = self._connections.pop(frame.connection, None)
        if previous:
            previous.cut("another connection has its number", frame.time)
        link = Link(client or ("", 0), server, port, frame.time)
        connection = Connection(link, self._budget, self._listener, is_joined=about.get("joined") is True)
        self._connections[frame.connection] = connection
        self._check(frame.connection, connection)
