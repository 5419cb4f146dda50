"""WebSockets."""

from functools import partial
from typing import NamedTuple

from .body import Body, describe_cut
from .deflate import WINDOW, find_inflaters
from .exchange import Exchange
from .link import Side
from .messages import CUT_MESSAGES, Messages
from .protocol import Ending, Host, Piece, Protocol
from .websocket_reader import BINARY, CLOSE, Frames, SocketError, WebSocketReader

# No code was sent; the connection ended without a close frame: RFC 6455, section 7.4.1.
NO_CODE, ABNORMAL = 1005, 1006
# The bit of a message that permessage-deflate has compressed.
COMPRESSED = 4


class SocketMessage(NamedTuple):
    opcode: int
    side: Side
    content: bytes
    time: float


class Close(NamedTuple):
    side: Side
    code: int
    reason: str | None
    time: float


class WebSocket(Protocol):
    """A WebSocket, which belongs to the exchange that has opened it."""

    def __init__(self, host: Host, exchange: Exchange) -> None:
        self._host = host
        self._exchange = exchange
        self._readers: dict[Side, WebSocketReader] = {
            "client": WebSocketReader(host.account, partial(self._take, "client")),
            "server": WebSocketReader(host.account, partial(self._take, "server")),
        }
        assert exchange.response
        self._inflaters = find_inflaters(exchange.response.head.headers)
        host.account.charge(WINDOW * len(self._inflaters))
        self._notes: list[str] = []
        # How many bytes the longest message has that was cut, and what is said of it.
        self._longest = 0
        self._cut: list[str] = []
        self._closed: set[Side] = set()
        self._is_over = False
        # The first close frame of either side.
        self.close_frame: Close | None = None
        self.messages = Messages(host.account)
        exchange.socket = self
        host.listener.socket_begins(exchange)

    def notes(self) -> list[str]:
        return [*self._notes, *self._cut, *([CUT_MESSAGES] if self.messages.are_cut else [])]

    def _note(self, note: str) -> None:
        if note not in self._notes:
            self._notes.append(note)

    def push(self, side: Side, data: bytes, time: float) -> None:
        if self._is_over:
            return
        try:
            self._readers[side].push(data, time)
        except SocketError as error:
            self._give_up(side, str(error), time)

    def _give_up(self, side: Side, reason: str, time: float) -> None:
        self._exchange.fail(f"WebSocket protocol error: {reason}", time)
        data = self._readers[side].take_unread()
        self._end()
        self._host.give_up(f"not read as WebSocket: {reason}", [Piece(side, data, time)])

    def _take(self, side: Side, message: Frames, time: float) -> None:
        if message.opcode <= BINARY:
            self._note_cut(message.body)
            content = self._decode(side, message)
            self._host.listener.socket_message(self._exchange, SocketMessage(message.opcode, side, content, time))
        elif message.opcode == CLOSE:
            self._take_close(side, message.body.content(), time)
        message.body.clear()

    def _decode(self, side: Side, message: Frames) -> bytes:
        inflater = self._inflaters.get(side)
        if not inflater or not message.reserved & COMPRESSED:
            if message.reserved:
                self._note("mittens: messages of an unknown extension are shown as they were sent")
            return message.body.content()
        plain = Body(self._host.account)
        if message.body.is_cut():
            inflater.lose()
        if message.body.is_cut() or not inflater.inflate(message.body.content(), plain):
            self._note("mittens: messages that do not inflate are shown as they were sent")
            return message.body.content()
        self._note_cut(plain)
        content = plain.content()
        plain.clear()
        return content

    def _note_cut(self, body: Body) -> None:
        if body.is_cut() and body.total > self._longest:
            self._longest = body.total
            self._cut = describe_cut([body])

    def _take_close(self, side: Side, payload: bytes, time: float) -> None:
        code = int.from_bytes(payload[:2], "big") if len(payload) >= 2 else NO_CODE
        if not self.close_frame:
            self.close_frame = Close(side, code, payload[2:].decode("utf-8", "replace"), time)
        self._closed.add(side)
        if len(self._closed) == 2:
            self._end()

    def close(self, ending: Ending) -> None:
        if self._is_over:
            return
        if self.close_frame is None and ending.by:
            self.close_frame = Close(ending.by, ABNORMAL, None, ending.time)
        elif self.close_frame is None:
            self._exchange.fail(ending.message, ending.time)
        if any(reader.is_within_message() for reader in self._readers.values()):
            self._note("mittens: a message that did not end is left out")
        self._end()

    def _end(self) -> None:
        self._is_over = True
        self._host.listener.exchange_ends(self._exchange)
        self._exchange.release()
        self.messages.release()
