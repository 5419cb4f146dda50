"""Connections whose protocol is not known yet."""

import re
from typing import Literal

from .head import MAX_HEAD, is_request_line, skip_blank
from .http1 import Http1
from .http2 import Http2
from .http2_reader import PREFACE
from .link import Side
from .protocol import Ending, Host, Piece, Protocol
from .tcp import Tcp
from .unread import Unread

# What a server may say before its client does, in bytes, until it is taken for a protocol where servers speak first.
MAX_GREETING = 64 * 1024
# How many bytes of line ends may stand before a request.
MAX_BLANK = 1024
PLAUSIBLE = re.compile(rb"\r?\Z|[!#$%&'*+.^_`|~\w-]{1,99}(?: |\Z)")


class Undecided(Protocol):
    """A connection whose protocol shows in the first bytes of its client."""

    can_resume = True
    slice = 64 * 1024

    def __init__(self, host: Host) -> None:
        self._host = host
        self._unread: dict[Side, Unread] = {"client": Unread(host.account), "server": Unread(host.account)}
        self._since: dict[Side, float] = {}

    def is_silent(self) -> bool:
        """Whether nobody has said anything."""
        return not self._since

    def push(self, side: Side, data: bytes, time: float) -> None:
        self._since.setdefault(side, time)
        unread = self._unread[side]
        known = unread.add(data)
        protocol = recognize(known) if side == "client" else "tcp" if len(known) > MAX_GREETING else None
        unread.keep(known, 0)
        if protocol:
            self._host.become(self._create(protocol), self._take_rest())

    def _create(self, protocol: Literal["http1", "http2", "tcp"]) -> Protocol:
        if protocol == "http1":
            return Http1(self._host)
        return Http2(self._host) if protocol == "http2" else Tcp(self._host)

    def _take_rest(self) -> list[Piece]:
        pieces = [Piece(side, unread.take(), self._since.get(side, 0)) for side, unread in self._unread.items()]
        return sorted((piece for piece in pieces if piece.data), key=lambda piece: piece.time)

    def close(self, ending: Ending) -> None:
        tcp = Tcp(self._host)
        for side, data, time in self._take_rest():
            tcp.push(side, data, time)
        tcp.close(ending)


def recognize(data: bytes | bytearray) -> Literal["http1", "http2", "tcp"] | None:
    """What a client speaks; None when more bytes must tell."""
    begin = data[: len(PREFACE)]
    if PREFACE.startswith(begin):
        return "http2" if len(begin) == len(PREFACE) else None
    start = skip_blank(data[: MAX_BLANK + 1])
    if start >= MAX_BLANK:
        return "tcp"
    end = data.find(b"\n", start)
    if end >= 0:
        return "http1" if is_request_line(bytes(data[start:end])) else "tcp"
    is_plausible = len(data) < MAX_HEAD and PLAUSIBLE.match(data[start : start + 100])
    return None if is_plausible else "tcp"
