"""Frames of WebSockets: RFC 6455."""

from collections.abc import Callable
from typing import NamedTuple

from .body import Body
from .budget import Account
from .unread import Unread

# Opcodes: those up to BINARY are of messages.
CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
OPCODES = (CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG)
MAX_CONTROL = 125
# The longest frame that a decoder in JavaScript can count.
MAX_LENGTH = 2**53 - 1


class SocketError(Exception):
    """What is not a frame of a WebSocket, in words."""


class Frames(NamedTuple):
    """A message that one side sent, put together from its frames."""

    opcode: int
    reserved: int
    """The bits that extensions use, of its first frame: RSV1 is 4."""
    body: Body


class FrameHead(NamedTuple):
    is_final: bool
    opcode: int
    reserved: int
    mask: bytes
    """Nothing when the payload is not masked."""
    length: int


class WebSocketReader:
    """Reads the frames that one side of a WebSocket sends, in pieces of any length."""

    def __init__(self, account: Account, give: Callable[[Frames, float], None]) -> None:
        self._account = account
        self._unread = Unread(account)
        self._give = give
        # The frame whose payload is being read, and how much of it was.
        self._frame: FrameHead | None = None
        self._read = 0
        # The message that the next continuation belongs to.
        self._message: Frames | None = None
        # The control frame that is being read: it may stand within a message.
        self._control: Frames | None = None

    def push(self, piece: bytes, time: float) -> None:
        """Reads a piece. Raises SocketError for what is not a frame; `take_unread` has it."""
        data = self._unread.add(piece)
        at = 0
        try:
            while at < len(data):
                frame = self._frame
                read = self._read_payload(frame, data, at, time) if frame else self._read_head(data, at, time)
                if read == at:
                    break
                at = read
        finally:
            self._unread.keep(data, at)

    def take_unread(self) -> bytes:
        return self._unread.take()

    def is_within_message(self) -> bool:
        """Whether a message has begun that has not ended."""
        return self._message is not None

    def _read_head(self, data: bytes | bytearray, at: int, time: float) -> int:
        size = find_head_size(data, at)
        if size == 0:
            return at
        head = parse_head(bytes(data[at : at + size]))
        if head.opcode >= CLOSE:
            self._control = self._begin(head)
        elif head.opcode != CONTINUATION:
            if self._message:
                raise SocketError("a message begins within another")
            self._message = self._begin(head)
        elif not self._message:
            raise SocketError("a continuation of no message")
        self._frame = head
        self._read = 0
        if head.length == 0:
            self._end_frame(head, time)
        return at + size

    def _begin(self, head: FrameHead) -> Frames:
        return Frames(head.opcode, head.reserved, Body(self._account))

    def _read_payload(self, frame: FrameHead, data: bytes | bytearray, at: int, time: float) -> int:
        piece = bytes(data[at : at + frame.length - self._read])
        message = self._control or self._message
        assert message
        message.body.add(unmask(piece, frame.mask, self._read) if frame.mask else piece)
        self._read += len(piece)
        if self._read == frame.length:
            self._end_frame(frame, time)
        return at + len(piece)

    def _end_frame(self, frame: FrameHead, time: float) -> None:
        self._frame = None
        message = self._control or self._message
        assert message
        if self._control:
            self._control = None
        elif frame.is_final:
            self._message = None
        else:
            return
        self._give(message, time)


def find_head_size(data: bytes | bytearray, at: int) -> int:
    """How many bytes the head has; 0 when it is not whole."""
    if len(data) - at < 2:
        return 0
    short = data[at + 1] & 0x7F
    size = {126: 4, 127: 10}.get(short, 2) + (4 if data[at + 1] & 0x80 else 0)
    return size if len(data) - at >= size else 0


def parse_head(data: bytes) -> FrameHead:
    """Raises SocketError."""
    short = data[1] & 0x7F
    start = {126: 4, 127: 10}.get(short, 2)
    length = short if short < 126 else int.from_bytes(data[2:start], "big")
    head = FrameHead(bool(data[0] & 0x80), data[0] & 0x0F, (data[0] >> 4) & 7, data[start:], length)
    if head.opcode not in OPCODES:
        raise SocketError(f"unknown opcode {head.opcode}")
    if length > MAX_LENGTH:
        raise SocketError(f"a frame of {length} bytes")
    if head.opcode >= CLOSE and (length > MAX_CONTROL or not head.is_final):
        raise SocketError("a control frame that is too long or in parts")
    return head


def unmask(data: bytes, mask: bytes, offset: int) -> bytes:
    """`offset`: of the first byte in the frame's payload."""
    size = len(data)
    start = offset % 4
    key = (mask * (size // 4 + 2))[start : start + size]
    return (int.from_bytes(data, "big") ^ int.from_bytes(key, "big")).to_bytes(size, "big")
