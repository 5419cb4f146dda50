"""Connections."""

import contextlib
from collections.abc import Callable

from .budget import Account, Budget
from .http1 import Http1
from .link import Link, Side
from .listener import Listener
from .protocol import DISCONNECTED, Ending, Piece, Protocol
from .resuming import Resuming
from .tcp import Tcp
from .undecided import Undecided

# An open connection takes so much in memory, in bytes, measured and rounded up.
CONNECTION_COST = 6 * 1024
# Tunnels within tunnels beyond this are shown as bytes.
MAX_TUNNELS = 8


class Connection:
    """One connection, and what reads it. Nothing that passes on it makes it raise."""

    def __init__(self, link: Link, budget: Budget, listener: Listener, is_joined: bool) -> None:
        """`is_joined`: bytes have passed before."""
        self.link = link
        self.listener = listener
        self.account = Account(budget)
        self.account.charge(CONNECTION_COST)
        # Sides that have sent everything.
        self._ended: list[Side] = []
        # The side that has ended the connection.
        self._by: Side | None = None
        self._is_reset = False
        self._has_gap = is_joined
        self._tunnels = 0
        self._protocol: Protocol = self._create_first()
        if is_joined:
            self._show_bytes("joined midway")

    def _create_first(self) -> Protocol:
        return Tcp(self) if self.link.port.protocol in ("tcp", "https") else Undecided(self)

    @property
    def slice(self) -> int:
        """How many bytes it should be given at once."""
        return self._protocol.slice

    def is_at_boundary(self) -> bool:
        """Whether somebody else could go on from here: every request is answered, and no other has begun."""
        protocol = self._protocol
        if self._ended or self._by:
            return False
        if isinstance(protocol, Undecided):
            return protocol.is_silent()
        return isinstance(protocol, Http1) and protocol.is_idle()

    def become(self, protocol: Protocol, rest: list[Piece]) -> None:
        self._protocol = protocol
        # It may give over to yet another.
        for side, data, time in rest:
            self._protocol.push(side, data, time)
        for side in self._ended:
            self._protocol.end(side, rest[-1].time if rest else 0)

    def detect(self, rest: list[Piece]) -> None:
        self._tunnels += 1
        self.become(Tcp(self) if self._tunnels > MAX_TUNNELS else Undecided(self), rest)

    def give_up(self, reason: str, rest: list[Piece]) -> None:
        tcp = Tcp(self, f"mittens: {reason}")
        for side, data, time in rest:
            tcp.push(side, data, time)
        self.become(Resuming(self, tcp) if self._has_gap else tcp, [])

    def push(self, side: Side, data: bytes, time: float) -> None:
        self._try(time, lambda: self._protocol.push(side, data, time))

    def end(self, side: Side, time: float) -> None:
        """One side has sent everything."""
        self._by = self._by or side
        self._ended.append(side)
        self.link.close(side, time)
        self._try(time, lambda: self._protocol.end(side, time))

    def reset(self, side: Side, time: float) -> None:
        """One side has reset the connection."""
        if not self._is_reset:
            self._by = side
            self._is_reset = True
        self.link.close(side, time)

    def close(self, time: float) -> None:
        """The connection is over."""
        self.link.close("client", time)
        self.link.close("server", time)
        self._close(Ending(self._by, self._is_reset, self._describe_end(), time))

    def _describe_end(self) -> str:
        if self._by == "server" and self.link.server is None:
            return "server refused connection"
        return DISCONNECTED[self._by] if self._by else "the tap ended the connection"

    def cut(self, message: str, time: float) -> None:
        """Nothing more of it is read, though it is not over. `message` says why."""
        self._close(Ending(None, False, message, time))

    def _close(self, ending: Ending) -> None:
        self._try(ending.time, lambda: self._protocol.close(ending))
        self.listener.link_ends(self.link)
        self.account.settle()

    def skip(self, client: int, app: int, time: float) -> None:
        """So many bytes are missing here."""
        what = f"{client} bytes of the client and {app} of the app are missing"
        self._try(time, lambda: self._protocol.close(Ending(None, False, what, time)))
        self._has_gap = True
        self._show_bytes(f"joined midway: {what}")

    def _show_bytes(self, why: str) -> None:
        tcp = Tcp(self, f"mittens: {why}")
        self._protocol = Resuming(self, tcp) if self._protocol.can_resume else tcp

    def _try(self, time: float, read: Callable[[], None]) -> None:
        """What is wrong with the decoder ends no other connection, and not the decoder."""
        try:
            read()
        except Exception as error:
            self._fail(f"{type(error).__name__} in mittens: {error}", time)

    def _fail(self, reason: str, time: float) -> None:
        """Shows what it has with an error, and the rest as bytes."""
        with contextlib.suppress(Exception):
            self._protocol.close(Ending(None, False, reason, time))
        self.listener.link_fails(self.link, reason, time)
        self._protocol = Tcp(self, f"mittens: not read: {reason}")
