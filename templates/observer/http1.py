"""HTTP/1.0 and 1.1."""

from collections import deque

from .exchange import Exchange, Message
from .framing import BodyReader, find_request_body, find_response_body, find_tokens
from .head import (
    HeadScanner,
    HttpError,
    RequestHead,
    ResponseHead,
    parse_request_head,
    parse_response_head,
    quote,
    skip_blank,
)
from .http2 import Http2
from .link import OPPOSITE, Side
from .protocol import DISCONNECTED, Ending, Host, Piece, Protocol
from .tcp import Tcp
from .unread import Unread
from .websocket import WebSocket

# What one side may send before the other has spoken, in bytes.
MAX_HELD = 1024 * 1024


class Half:
    """What one side is sending."""

    __slots__ = ("message", "reader", "scanner", "since", "unread")

    def __init__(self, host: Host) -> None:
        self.scanner = HeadScanner()
        self.unread = Unread(host.account)
        # Of the message that is being read, once its head was.
        self.reader: BodyReader | None = None
        self.message: Message[RequestHead] | Message[ResponseHead] | None = None
        # When the first byte came that is not read.
        self.since = 0.0


class Http1(Protocol):
    """HTTP/1 on one connection: its requests, and their responses in the same order."""

    can_resume = True

    def __init__(self, host: Host) -> None:
        self._host = host
        self._halves: dict[Side, Half] = {"client": Half(host), "server": Half(host)}
        # Whose responses have not ended, the oldest first.
        self._pending: deque[Exchange] = deque()
        # The request after which the client may speak another protocol, if the response says so.
        self._asking: Exchange | None = None
        # The request whose response has said so.
        self._leaving: Exchange | None = None
        self._is_over = False

    def is_idle(self) -> bool:
        """Whether every request is answered, and nothing is left to read."""
        return not (self._is_over or self._pending or any(len(half.unread) for half in self._halves.values()))

    def push(self, side: Side, data: bytes, time: float) -> None:
        progress = self._read(side, data, time)
        # What one side sends may be what the other's bytes wait for.
        other = OPPOSITE[side]
        while progress and len(self._halves[other].unread):
            progress = self._read(other, b"", time)
            other = OPPOSITE[other]

    def _read(self, side: Side, piece: bytes, time: float) -> bool:
        """Returns whether anything was read."""
        if self._is_over:
            return False
        half = self._halves[side]
        if not len(half.unread):
            half.since = time
        data = half.unread.add(piece)
        at = 0
        error = None
        try:
            while at < len(data):
                read = self._step(side, half, data, at, time)
                if read == at:
                    break
                at = read
                half.since = time
        except HttpError as caught:
            error = caught
        half.unread.keep(data, at)
        if error:
            self._give_up(side, str(error), time)
            return False
        if self._leaving:
            self._leave(self._leaving)
        return at > 0

    def _step(self, side: Side, half: Half, data: bytes | bytearray, at: int, time: float) -> int:
        """Reads a head, or a piece of a body. Returns up to where."""
        if half.reader:
            return self._read_body(side, half, half.reader, data, at, time)
        if self._asking if side == "client" else self._leaving or not self._find_unanswered():
            return self._hold(side, data, at)
        start = skip_blank(data, at)
        if start > at:
            return start
        end = half.scanner.find(data, at)
        if not end:
            return at
        head = bytes(data[at:end])
        if side == "client":
            self._begin_request(parse_request_head(head), time)
        else:
            self._begin_response(parse_response_head(head), time)
        return end

    def _hold(self, side: Side, data: bytes | bytearray, at: int) -> int:
        """Bytes that can't be read before the other side has spoken."""
        start = skip_blank(data, at) if side == "server" and not self._leaving else at
        if start == at and len(data) - at > MAX_HELD:
            raise HttpError(f"more than {MAX_HELD} bytes out of turn")
        return start

    def _find_unanswered(self) -> Exchange | None:
        return next((exchange for exchange in self._pending if not exchange.is_answered()), None)

    def _begin_request(self, head: RequestHead, time: float) -> None:
        half = self._halves["client"]
        exchange = Exchange(self._host.link, self._host.account, head, half.since)
        self._pending.append(exchange)
        half.message = exchange.request
        if head.method == b"CONNECT" or find_tokens(head.headers, b"upgrade"):
            self._asking = exchange
        self._host.listener.exchange_begins(exchange)
        half.reader = find_request_body(head, exchange.request.body)
        if not half.reader:
            self._finish("client", time)

    def _begin_response(self, head: ResponseHead, time: float) -> None:
        exchange = self._find_unanswered()
        assert exchange
        if head.status == 101:
            self._switch_protocols(exchange, head, time)
        elif head.status < 200:
            exchange.note(head)
        else:
            self._begin_final_response(exchange, head, time)

    def _begin_final_response(self, exchange: Exchange, head: ResponseHead, time: float) -> None:
        half = self._halves["server"]
        response = exchange.answer(head, half.since)
        method = exchange.request.head.method
        if exchange is self._asking:
            self._asking = None
        if method == b"CONNECT" and head.status < 300:
            self._leaving = exchange
        half.message = response
        self._host.listener.response_begins(exchange)
        half.reader = find_response_body(method, head, response.body)
        if not half.reader:
            self._finish("server", time)

    def _switch_protocols(self, exchange: Exchange, head: ResponseHead, time: float) -> None:
        """For HTTP/2 the response is still to come, on its first stream."""
        if exchange is not self._asking:
            raise HttpError("101 for a request that did not ask for an upgrade")
        self._leaving = exchange
        if is_upgrade_to(b"h2c", head):
            exchange.note(head)
            return
        exchange.answer(head, self._halves["server"].since).finish(time)
        self._host.listener.response_begins(exchange)

    def _read_body(
        self, side: Side, half: Half, reader: BodyReader, data: bytes | bytearray, at: int, time: float
    ) -> int:
        end = reader.read(data, at)
        if reader.is_done:
            if half.message and reader.trailers:
                half.message.trailers = reader.trailers
            self._finish(side, time)
        return end

    def _finish(self, side: Side, time: float) -> None:
        """A message is whole."""
        message = self._halves[side].message
        if message:
            message.finish(time)
            if side == "client":
                self._host.listener.request_ends(self._pending[-1])
        self._stop(side)

    def _stop(self, side: Side) -> None:
        """Nothing more comes of a message."""
        half = self._halves[side]
        if half.message:
            half.message.is_done = True
        half.message = half.reader = None
        while self._pending and self._pending[0].is_done() and self._pending[0] is not self._leaving:
            self._emit(self._pending.popleft())

    def _emit(self, exchange: Exchange) -> None:
        self._host.listener.exchange_ends(exchange)
        exchange.release()

    def _leave(self, exchange: Exchange) -> None:
        """Both sides speak another protocol from here on, once the request has ended."""
        if not exchange.request.is_done:
            return
        rest = self._end()
        if not exchange.response:
            self._host.become(Http2(self._host, exchange), rest)
        elif is_socket(exchange, exchange.response.head):
            self._host.become(WebSocket(self._host, exchange), rest)
        else:
            self._emit(exchange)
            if exchange.request.head.method == b"CONNECT":
                self._host.detect(rest)
            else:
                self._host.become(Tcp(self._host), rest)

    def _give_up(self, side: Side, reason: str, time: float) -> None:
        """What could not be read is shown as bytes."""
        pending = self._pending
        rest = self._end()
        message = f"Cannot parse HTTP response: {reason}" if side == "server" else reason
        for exchange in pending:
            exchange.fail(message, time)
            self._emit(exchange)
        self._host.give_up(f"not read as HTTP: {reason}", rest)

    def _end(self) -> list[Piece]:
        """Returns what was not read."""
        self._is_over = True
        self._pending = deque()
        pieces = [Piece(side, half.unread.take(), half.since) for side, half in self._halves.items()]
        rest = [piece for piece in pieces if skip_blank(piece.data) < len(piece.data)]
        return sorted(rest, key=lambda piece: piece.time)

    def end(self, side: Side, time: float) -> None:
        """A client that has sent everything may wait for its response."""
        reader = self._halves[side].reader
        message = reader.cut_message() if reader else None
        if message:
            exchange = self._pending[-1] if side == "client" else self._find_unanswered()
            if exchange:
                exchange.fail(message, time)
            self._stop(side)
        elif reader:
            self._finish(side, time)
        if side == "server":
            self._end_responses(time)

    def _end_responses(self, time: float) -> None:
        """The server has closed the connection: requests without a response don't get one."""
        unread = self._halves["server"].unread
        message = f"unexpected server response: {quote(unread.view())}" if len(unread) else DISCONNECTED["server"]
        pending, self._pending = self._pending, deque()
        for exchange in pending:
            if not exchange.request.is_done or exchange.response:
                self._pending.append(exchange)
                continue
            exchange.fail(message, time)
            message = DISCONNECTED["server"]
            self._emit(exchange)

    def close(self, ending: Ending) -> None:
        pending = self._pending
        rest = self._end()
        for exchange in pending:
            # An app may answer before it has read the request, and close.
            if not exchange.is_answered():
                exchange.fail(ending.message, ending.time)
            self._emit(exchange)
        if rest:
            tcp = Tcp(self._host, "mittens: not read as HTTP: it is cut off, or was not asked for")
            for side, data, time in rest:
                tcp.push(side, data, time)
            tcp.close(ending)


def is_upgrade_to(protocol: bytes, head: ResponseHead) -> bool:
    return protocol in find_tokens(head.headers, b"upgrade")


def is_socket(exchange: Exchange, response: ResponseHead) -> bool:
    """Whether a response opens a WebSocket, as mitmproxy tells them."""
    version = find_tokens(exchange.request.head.headers, b"sec-websocket-version")[:1]
    return response.status == 101 and is_upgrade_to(b"websocket", response) and version == [b"13"]
