"""Connections of which bytes are missing."""

from .head import is_request_line
from .http1 import Http1
from .link import Side
from .protocol import Ending, Host, Piece, Protocol
from .tcp import Tcp


class Resuming(Protocol):
    """It is shown as bytes until a piece of the client begins with a request of HTTP/1."""

    can_resume = True
    slice = 64 * 1024

    def __init__(self, host: Host, tcp: Tcp) -> None:
        """`tcp` shows the bytes."""
        self._host = host
        self._tcp = tcp

    def push(self, side: Side, data: bytes, time: float) -> None:
        end = data.find(b"\n") if side == "client" else -1
        if end < 0 or not is_request_line(data[:end]):
            self._tcp.push(side, data, time)
            return
        self._tcp.leave()
        self._host.become(Http1(self._host), [Piece(side, data, time)])

    def close(self, ending: Ending) -> None:
        self._tcp.close(ending)
