"""Frames of HTTP/2: RFC 9113."""

from typing import NamedTuple, Protocol

from .budget import Account
from .unread import Unread

# What a client begins with.
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
HEAD = 9
# The longest block of headers that is read, in bytes.
MAX_BLOCK = 1024 * 1024

DATA, HEADERS, RST_STREAM, SETTINGS, PUSH_PROMISE, GOAWAY, CONTINUATION = 0, 1, 3, 4, 5, 7, 9
READ = (HEADERS, RST_STREAM, PUSH_PROMISE, GOAWAY, CONTINUATION)
END_STREAM, END_HEADERS, PADDED, PRIORITY = 1, 4, 8, 32


class Http2Error(Exception):
    """What is not HTTP/2, in words."""


class Http2Listener(Protocol):
    """Who is told what one side sends."""

    def on_headers(self, stream: int, block: bytes, ends: bool, promised: int | None) -> None:
        """`block` is HPACK. `promised` is the stream that is pushed, if it is."""

    def on_data(self, stream: int, data: bytes, ends: bool) -> None: ...

    def on_reset(self, stream: int, code: int) -> None: ...

    def on_goaway(self, code: int) -> None: ...


class Block(NamedTuple):
    """Headers that go on in the next frame."""

    stream: int
    ends: bool
    promised: int | None
    data: bytearray


class Http2Reader:
    """Reads the frames that one side of an HTTP/2 connection sends, in pieces of any length."""

    def __init__(self, account: Account, listener: Http2Listener, has_preface: bool) -> None:
        self._account = account
        self._listener = listener
        self._unread = Unread(account)
        # What has not come of the preface.
        self._preface = PREFACE if has_preface else b""
        self._is_first = True
        # Of a DATA frame: its stream, whether it is the last, and how many bytes have not come.
        self._data: tuple[int, bool] | None = None
        self._left = 0
        # Bytes that are not looked at.
        self._skip = 0
        self._block: Block | None = None
        # What it takes of the account.
        self._charged = 0

    def push(self, piece: bytes) -> None:
        """Reads a piece. Raises Http2Error for what is not HTTP/2; `take_unread` has it."""
        data = self._unread.add(piece)
        at = 0
        try:
            while at < len(data):
                read = self._step(data, at)
                if read == at:
                    break
                at = read
        finally:
            self._unread.keep(data, at)

    def take_unread(self) -> bytes:
        return self._unread.take()

    def _step(self, data: bytes | bytearray, at: int) -> int:
        """Returns up to where it has read: `at` when it needs more."""
        if self._preface:
            return self._read_preface(data, at)
        if self._data:
            return self._read_data(data, at)
        if self._skip:
            skipped = min(self._skip, len(data) - at)
            self._skip -= skipped
            return at + skipped
        return at if len(data) - at < HEAD else self._read_frame(data, at)

    def _read_preface(self, data: bytes | bytearray, at: int) -> int:
        piece = bytes(data[at : at + len(self._preface)])
        if not self._preface.startswith(piece):
            raise Http2Error("the client does not begin with the preface of HTTP/2")
        self._preface = self._preface[len(piece) :]
        return at + len(piece)

    def _read_frame(self, data: bytes | bytearray, at: int) -> int:
        length = int.from_bytes(data[at : at + 3], "big")
        type, flags = data[at + 3], data[at + 4]
        stream = int.from_bytes(data[at + 5 : at + HEAD], "big") & 0x7FFFFFFF
        if self._is_first and type != SETTINGS:
            raise Http2Error("the first frame is not SETTINGS")
        if self._block and type != CONTINUATION:
            raise Http2Error("headers do not go on as they should")
        if type == DATA:
            return self._begin_data(data, at, length, flags, stream)
        self._is_first = False
        if type not in READ:
            self._skip = length
            return at + HEAD
        if length > MAX_BLOCK:
            raise Http2Error(f"a frame of {length} bytes")
        end = at + HEAD + length
        if len(data) < end:
            return at
        self._take_frame(type, flags, stream, bytes(data[at + HEAD : end]))
        return end

    def _take_frame(self, type: int, flags: int, stream: int, payload: bytes) -> None:
        if type == RST_STREAM:
            self._listener.on_reset(stream, read_code(payload, 0))
        elif type == GOAWAY:
            self._listener.on_goaway(read_code(payload, 4))
        else:
            self._take_headers(type, flags, stream, payload)

    def _take_headers(self, type: int, flags: int, stream: int, payload: bytes) -> None:
        if type != CONTINUATION:
            self._block = begin_block(type, flags, stream, payload)
        elif self._block and self._block.stream == stream:
            self._block.data.extend(payload)
        else:
            raise Http2Error("headers go on that have not begun")
        self._account.charge(len(payload))
        self._charged += len(payload)
        block = self._block
        if len(block.data) > MAX_BLOCK:
            raise Http2Error(f"more than {MAX_BLOCK} bytes of headers")
        if flags & END_HEADERS:
            self._block = None
            self._account.charge(-self._charged)
            self._charged = 0
            self._listener.on_headers(stream, bytes(block.data), block.ends, block.promised)

    def _begin_data(self, data: bytes | bytearray, at: int, length: int, flags: int, stream: int) -> int:
        is_padded = 1 if flags & PADDED else 0
        if len(data) - at < HEAD + is_padded:
            return at
        padding = data[at + HEAD] if is_padded else 0
        self._left = length - is_padded - padding
        if self._left < 0:
            raise Http2Error("more padding than a frame has")
        self._skip = padding
        self._data = (stream, bool(flags & END_STREAM))
        if self._left == 0:
            self._read_data(b"", 0)
        return at + HEAD + is_padded

    def _read_data(self, data: bytes | bytearray, at: int) -> int:
        assert self._data
        stream, ends = self._data
        piece = bytes(data[at : at + self._left])
        self._left -= len(piece)
        if self._left == 0:
            self._data = None
        self._listener.on_data(stream, piece, ends and self._left == 0)
        return at + len(piece)


def begin_block(type: int, flags: int, stream: int, payload: bytes) -> Block:
    is_padded = 1 if flags & PADDED else 0
    is_push = type == PUSH_PROMISE
    start = is_padded + (4 if is_push else 5 if flags & PRIORITY else 0)
    end = len(payload) - (payload[0] if is_padded and payload else 0)
    if start > end:
        raise Http2Error("a frame of headers that is too short")
    promised = int.from_bytes(payload[is_padded : is_padded + 4], "big") & 0x7FFFFFFF if is_push else None
    return Block(stream, not is_push and bool(flags & END_STREAM), promised, bytearray(payload[start:end]))


def read_code(payload: bytes, at: int) -> int:
    if len(payload) < at + 4:
        raise Http2Error("a frame that is too short for its code")
    return int.from_bytes(payload[at : at + 4], "big")
