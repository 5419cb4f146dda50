"""permessage-deflate, the compression of WebSockets: RFC 7692."""

import zlib

from .body import Body
from .head import Header
from .link import Side

# As far back as DEFLATE looks, in bytes.
WINDOW = 32 * 1024
# A longer message is not inflated: a few bytes can become gigabytes.
MAX_MESSAGE = 64 * 1024 * 1024
PIECE = 256 * 1024
# What senders leave out at a message's end.
TAIL = b"\0\0\xff\xff"


class Inflater:
    """Inflates the messages of one side, which may look back into those before."""

    def __init__(self, takes_over: bool) -> None:
        self._takes_over = takes_over
        self._window = b""
        self._is_lost = False

    def inflate(self, data: bytes, body: Body) -> bool:
        """Puts a message into a body. Returns False for what does not inflate, as for all that look back into it."""
        if self._is_lost:
            return False
        window = self._window
        inflater = zlib.decompressobj(-zlib.MAX_WBITS, zdict=window)
        data += TAIL
        try:
            while data:
                piece = inflater.decompress(data, PIECE)
                data = inflater.unconsumed_tail
                body.add(piece)
                window = (window + piece)[-WINDOW:]
                if body.total > MAX_MESSAGE:
                    raise zlib.error
        except zlib.error:
            self.lose()
            body.clear()
            return False
        if self._takes_over:
            self._window = window
        return True

    def lose(self) -> None:
        """A message is not there as a whole: later ones may look back into it."""
        self._is_lost = self._takes_over


def find_inflaters(headers: list[Header]) -> dict[Side, Inflater]:
    """What a response has agreed to: nothing when messages are not compressed."""
    values = [value.lower() for name, value in headers if name.lower() == b"sec-websocket-extensions"]
    for value in b",".join(values).split(b","):
        name, *parameters = (part.strip() for part in value.split(b";"))
        if name == b"permessage-deflate":
            return {
                "client": Inflater(b"client_no_context_takeover" not in parameters),
                "server": Inflater(b"server_no_context_takeover" not in parameters),
            }
    return {}
