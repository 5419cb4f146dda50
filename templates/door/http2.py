"""Frames of HTTP/2, RFC 9113, as far as they have to be seen to put one between two of them."""

# A frame begins with its length in 3 bytes, its type, its flags, and its stream in 4.
HEAD_BYTES = 9
HEADERS, SETTINGS, PUSH_PROMISE, CONTINUATION = 1, 4, 5, 9
END_HEADERS = 4
# The first frame of a server: SETTINGS, no flag, of no stream.
GREETING = bytes((SETTINGS, 0, 0, 0, 0, 0))

# "No new streams; those that are open may end": length, type, flags, stream, last stream, no error.
GOAWAY = bytes.fromhex("000008 07 00 00000000 7fffffff 00000000")


class Frames:
    """Walks over the frames that a server sends."""

    __slots__ = ("_count", "_has_block", "_head", "_left")

    def __init__(self) -> None:
        # What has come of a head, and how much of its frame is still to come.
        self._head = b""
        self._left = 0
        self._count = 0
        # A block of headers goes on in the next frame, and nothing may stand between.
        self._has_block = False

    @property
    def is_between(self) -> bool:
        """Whether another frame could stand here. The first has to be the server's own."""
        return self._count > 0 and not self._left and not self._head and not self._has_block

    @property
    def is_greeting(self) -> bool:
        """Whether this can be a server of HTTP/2, by what has come."""
        return self._count > 0 or GREETING.startswith(self._head[3:])

    def walk(self, data: bytes, stops: bool = False) -> int:
        """Takes the next bytes; all of them, or up to where another frame could stand.

        @returns how many bytes it has taken.
        """
        at, end = 0, len(data)
        while at < end and not (stops and self.is_between):
            if self._left:
                step = min(self._left, end - at)
                self._left -= step
                at += step
                continue
            step = min(HEAD_BYTES - len(self._head), end - at)
            self._head += data[at : at + step]
            at += step
            if len(self._head) == HEAD_BYTES and not self._begin():
                return end
        return at

    def _begin(self) -> bool:
        """@returns False when this is no HTTP/2."""
        head = self._head
        if not self._count and head[3:] != GREETING:
            return False
        self._head = b""
        self._count += 1
        self._left = int.from_bytes(head[:3], "big")
        if head[3] in (HEADERS, PUSH_PROMISE, CONTINUATION):
            self._has_block = not head[4] & END_HEADERS
        return True
