"""HTTP/2 in plaintext."""

import re
from dataclasses import dataclass

from .exchange import Exchange, Message
from .head import Header, RequestHead, ResponseHead
from .header_block import BlockDecoder, BlockError
from .http2_reader import Http2Error, Http2Reader
from .link import Side
from .protocol import Ending, Host, Piece, Protocol

STATUS = re.compile(rb"\d{3}")
# Error codes: RFC 9113, section 7.
CODES = (
    *("NO_ERROR", "PROTOCOL_ERROR", "INTERNAL_ERROR", "FLOW_CONTROL_ERROR", "SETTINGS_TIMEOUT", "STREAM_CLOSED"),
    *("FRAME_SIZE_ERROR", "REFUSED_STREAM", "CANCEL", "COMPRESSION_ERROR", "CONNECT_ERROR", "ENHANCE_YOUR_CALM"),
    *("INADEQUATE_SECURITY", "HTTP_1_1_REQUIRED"),
)


class Http2(Protocol):
    """HTTP/2 on one connection: each stream is an exchange."""

    def __init__(self, host: Host, upgraded: Exchange | None = None) -> None:
        """`upgraded`: the request of HTTP/1.1 that has asked for HTTP/2: it is answered on the first stream."""
        self._host = host
        self._halves: dict[Side, Half] = {"client": Half(self, "client"), "server": Half(self, "server")}
        self._streams: dict[int, Exchange] = {1: upgraded} if upgraded else {}
        # The highest stream that the client has opened: it opens them in order.
        self._last = 1 if upgraded else 0
        self._time = 0.0
        # Why the connection is to end, if that is an error.
        self._goaway: str | None = None
        self._is_over = False

    @property
    def host(self) -> Host:
        return self._host

    def push(self, side: Side, data: bytes, time: float) -> None:
        if self._is_over:
            return
        self._time = time
        half = self._halves[side]
        try:
            half.reader.push(data)
        except (Http2Error, BlockError) as error:
            self._give_up(side, str(error))

    def _give_up(self, side: Side, reason: str) -> None:
        self._is_over = True
        self._fail_all(f"HTTP/2 protocol error: {reason}", self._time)
        data = self._halves[side].reader.take_unread()
        self._host.give_up(f"not read as HTTP/2: {reason}", [Piece(side, data, self._time)])

    def take_headers(self, side: Side, stream: int, headers: list[Header], ends: bool, promised: int | None) -> None:
        if promised is not None:
            self._push(promised, headers)
        elif side == "server":
            self._take_response_headers(stream, headers, ends)
        elif stream in self._streams:
            self._take_trailers(stream, "client", headers, ends)
        elif stream > self._last:
            self._last = stream
            self._open(stream, headers)
            if ends:
                self._finish(stream, "client")

    def _open(self, stream: int, headers: list[Header], is_pushed: bool = False) -> None:
        exchange = Exchange(self._host.link, self._host.account, to_request_head(headers), self._time)
        if is_pushed:
            exchange.note_push()
        self._streams[stream] = exchange
        self._host.listener.exchange_begins(exchange)

    def _push(self, stream: int, headers: list[Header]) -> None:
        """A request that the server answers before it is asked."""
        self._emit(stream)
        self._open(stream, headers, is_pushed=True)
        self._finish(stream, "client")

    def _take_response_headers(self, stream: int, headers: list[Header], ends: bool) -> None:
        exchange = self._streams.get(stream)
        if not exchange:
            return
        if exchange.response:
            self._take_trailers(stream, "server", headers, ends)
            return
        head = to_response_head(headers)
        if head.status < 200 and not ends:
            exchange.note(head)
            return
        exchange.answer(head, self._time)
        self._host.listener.response_begins(exchange)
        if ends:
            self._finish(stream, "server")

    def _take_trailers(self, stream: int, side: Side, headers: list[Header], ends: bool) -> None:
        message = self._find(stream, side)
        if message:
            message.trailers = headers
        if ends:
            self._finish(stream, side)

    def take_data(self, side: Side, stream: int, data: bytes, ends: bool) -> None:
        message = self._find(stream, side)
        if message:
            message.body.add(data)
        if ends:
            self._finish(stream, side)

    def _find(self, stream: int, side: Side) -> Message[RequestHead] | Message[ResponseHead] | None:
        exchange = self._streams.get(stream)
        if not exchange:
            return None
        return exchange.request if side == "client" else exchange.response

    def _finish(self, stream: int, side: Side) -> None:
        message = self._find(stream, side)
        if not message:
            return
        message.finish(self._time)
        exchange = self._streams[stream]
        if side == "client":
            self._host.listener.request_ends(exchange)
        if exchange.is_done():
            self._emit(stream)

    def take_reset(self, side: Side, stream: int, code: int) -> None:
        """A server may answer, and want no more of the request: that is not an error."""
        exchange = self._streams.get(stream)
        if exchange and not exchange.is_answered():
            exchange.fail(f"stream reset by {side} ({format_code(code)})", self._time)
        self._emit(stream)

    def take_goaway(self, side: Side, code: int) -> None:
        if code and not self._goaway:
            self._goaway = f"HTTP/2 connection closed by {side} ({format_code(code)})"

    def _emit(self, stream: int) -> None:
        exchange = self._streams.pop(stream, None)
        if exchange:
            self._host.listener.exchange_ends(exchange)
            exchange.release()

    def close(self, ending: Ending) -> None:
        if self._is_over:
            return
        self._is_over = True
        self._fail_all(self._goaway or ("peer closed connection" if ending.by else ending.message), ending.time)

    def _fail_all(self, message: str, time: float) -> None:
        for stream, exchange in list(self._streams.items()):
            if not exchange.is_answered():
                exchange.fail(message, time)
            self._emit(stream)


class Half:
    """One side: the frames that it sends, and what their headers refer to."""

    def __init__(self, http2: Http2, side: Side) -> None:
        self._http2 = http2
        self._side = side
        self._decoder = BlockDecoder()
        self._table_size = 0
        self.reader = Http2Reader(http2.host.account, self, has_preface=side == "client")

    def on_headers(self, stream: int, block: bytes, ends: bool, promised: int | None) -> None:
        # Also those of streams that are over change what later ones refer to.
        headers = self._decoder.decode(block)
        size = self._decoder.table_size()
        self._http2.host.account.charge(size - self._table_size)
        self._table_size = size
        self._http2.take_headers(self._side, stream, headers, ends, promised)

    def on_data(self, stream: int, data: bytes, ends: bool) -> None:
        self._http2.take_data(self._side, stream, data, ends)

    def on_reset(self, stream: int, code: int) -> None:
        self._http2.take_reset(self._side, stream, code)

    def on_goaway(self, code: int) -> None:
        self._http2.take_goaway(self._side, code)


@dataclass
class SplitHeaders:
    """Headers without the pseudo-headers: RFC 9113, section 8.3."""

    pseudo: dict[bytes, bytes]
    headers: list[Header]
    size: int


def split_headers(headers: list[Header]) -> SplitHeaders:
    return SplitHeaders(
        pseudo={name: value for name, value in headers if name.startswith(b":")},
        headers=[header for header in headers if not header[0].startswith(b":")],
        size=sum(len(name) + len(value) for name, value in headers),
    )


def to_request_head(headers: list[Header]) -> RequestHead:
    split = split_headers(headers)
    find = split.pseudo.get
    return RequestHead(
        http_version=b"HTTP/2.0",
        headers=split.headers,
        size=split.size,
        method=find(b":method", b""),
        scheme=find(b":scheme", b"http"),
        authority=find(b":authority", b""),
        path=find(b":path", b""),
    )


def to_response_head(headers: list[Header]) -> ResponseHead:
    """Raises Http2Error for headers without a status."""
    split = split_headers(headers)
    status = split.pseudo.get(b":status", b"")
    if not STATUS.fullmatch(status):
        raise Http2Error("a response without a status")
    return ResponseHead(b"HTTP/2.0", split.headers, split.size, int(status), b"")


def format_code(code: int) -> str:
    return CODES[code] if code < len(CODES) else str(code)
