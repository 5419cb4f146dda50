"""Copies as a door sends them, for the tests of the observer."""

import itertools
import json
from typing import Any

from observer.budget import Budget
from observer.decoder import Decoder
from observer.exchange import Exchange
from observer.frame import HEAD
from observer.link import Link, Side
from observer.tcp import Tcp
from observer.websocket import SocketMessage

# When frames are sent, in microseconds since 1970.
TIMES = itertools.count(1_800_000_000_000_000, 1000)
MIB = 1024 * 1024

GET = b"GET / HTTP/1.1\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
SOCKET = b"GET /chat HTTP/1.1\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\r\n"
ACCEPT = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n"
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
SETTINGS = bytes.fromhex("000000 04 00 00000000")


def frame(kind: str, payload: bytes | dict[str, Any] = b"", connection: int = 1) -> bytes:
    """A frame. A millisecond has passed since the one that was made before."""
    data = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    return HEAD.pack(kind.encode(), connection, next(TIMES), len(data)) + data


def begin(protocol: str = "auto") -> bytes:
    return frame("H", {"wire": 1, "ports": [{"listen": 7777, "app": 8080, "protocol": protocol}]}, connection=0)


def opened(connection: int = 1, **more: Any) -> bytes:
    about = {"client": ["10.0.0.7", 41234], "listen": 7777, "server": ["10.0.0.9", 8080], **more}
    return frame("O", about, connection)


def h2_frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    return len(payload).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + payload


class Recorder:
    """A listener that writes down what it is told, in a line each."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.open: dict[int, Link] = {}

    def exchange_begins(self, exchange: Exchange) -> None:
        self.open[id(exchange)] = exchange.link

    def request_ends(self, exchange: Exchange) -> None:
        assert id(exchange) in self.open

    def response_begins(self, exchange: Exchange) -> None:
        assert id(exchange) in self.open

    def socket_begins(self, exchange: Exchange) -> None:
        assert id(exchange) in self.open

    def socket_message(self, exchange: Exchange, message: SocketMessage) -> None:
        self.lines.append(f"{message.side} says {message.content!r}")

    def exchange_ends(self, exchange: Exchange) -> None:
        del self.open[id(exchange)]
        request, response = exchange.request, exchange.response
        line = f"{request.head.method.decode('latin-1')} {request.head.path.decode('latin-1')}"
        line += f" {request.body.content()!r}" if request.body.total else ""
        if response:
            line += f" | {response.head.status} {response.body.content()!r} {response.trailers or ''}".rstrip()
        self.lines.append(describe(line, exchange))

    def bytes_begin(self, tcp: Tcp) -> None:
        self.open[id(tcp)] = tcp.link
        tcp.shown = []

    def bytes_pass(self, tcp: Tcp, side: Side, data: bytes, time: float) -> None:
        if tcp.shown and tcp.shown[-1][0] == side:
            data = tcp.shown.pop()[1] + data
        tcp.shown.append((side, data))

    def bytes_end(self, tcp: Tcp) -> None:
        del self.open[id(tcp)]
        self.lines.append(describe(f"TCP {tcp.shown}", tcp))

    def link_ends(self, link: Link) -> None: ...

    def link_fails(self, link: Link, reason: str, time: float) -> None:
        self.open = {id: its for id, its in self.open.items() if its is not link}


def describe(line: str, source: Exchange | Tcp) -> str:
    error = f" ! {source.error[0]}" if source.error else ""
    return line + error + "".join(f" # {note}" for note in source.notes())


class Copies:
    """A decoder with a listener that records."""

    def __init__(self, content: int = 64 * MIB, total: int = 96 * MIB) -> None:
        self.recorder = Recorder()
        self.budget = Budget(5 * MIB, content, total)
        # The most that it has taken of its budget.
        self.most = 0
        self.answers: list[bool] = []
        self.decoder = Decoder(self.recorder, self.budget, lambda connection, is_boundary: self.answer(is_boundary))

    def answer(self, is_boundary: bool) -> None:
        self.answers.append(is_boundary)

    def push(self, *chunks: bytes) -> "Copies":
        for chunk in chunks:
            for _ in self.decoder.push(chunk):
                self.most = max(self.most, self.budget.used)
        return self

    def lines(self) -> list[str]:
        """All lines, once nothing more comes."""
        self.decoder.end()
        assert self.recorder.open == {}
        assert self.budget.used == 0
        return self.recorder.lines


def read(*frames: bytes) -> list[str]:
    """What a decoder says of a connection."""
    return Copies().push(begin(), opened(), *frames, frame("X")).lines()
