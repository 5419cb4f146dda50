"""How clients that are relayed are told to open their next connection elsewhere."""

import re

from .http2 import GOAWAY, Frames
from .relay import Relay
from .speech import begins_request

STATUS = re.compile(rb"HTTP/1\.1 ([1-5]\d\d)[^\r\n]*\r?\n")
CLOSE = b"Connection: close\r\n"
KEEP_ALIVE = re.compile(rb"^Connection: *keep-alive *\r?\n", re.IGNORECASE | re.MULTILINE)
UPGRADE = b"101"
# The end of a head.
END = b"\r\n\r\n"


class Http1Goodbye:
    """Puts `Connection: close` into the next answer to a request that begins now or later."""

    def __init__(self, is_quiet: bool, is_first: bool = False) -> None:
        """@param is_quiet: whether the app owes no answer.
        @param is_first: whether it owes one to the first request of the connection, and no other.
        """
        self._is_quiet = is_quiet
        self._is_awaited = is_first

    def see(self, from_client: bool, data: bytes) -> bytes:
        if from_client:
            # An answer to what was asked before does not end the connection: more is on its way.
            if self._is_quiet and begins_request(data):
                self._is_awaited = True
            self._is_quiet = False
            return data
        self._is_quiet = True
        return self._insert(data) if self._is_awaited else data

    def leave(self) -> None:
        """Nothing is held."""

    def _insert(self, data: bytes) -> bytes:
        """Finds the final answer behind those that precede it: 100, 103."""
        at = 0
        while match := STATUS.match(data, at):
            if not match[1].startswith(b"1"):
                self._is_awaited = False
                return data[: match.end()] + CLOSE + without_keep_alive(data[match.end() :])
            at = data.find(END, at) + len(END)
            if match[1] == UPGRADE or at < len(END):
                break
            if at == len(data):
                return data  # The final answer is still to come.
        self._is_awaited = False
        return data


def without_keep_alive(data: bytes) -> bytes:
    """What follows the first line of a head, without the opposite of `Connection: close`."""
    end = data.find(END)
    head = data if end < 0 else data[: end + 2]
    return KEEP_ALIVE.sub(b"", head, count=1) + data[len(head) :]


class Http2Goodbye:
    """Walks over the frames of the app's, so that it can put a GOAWAY between two of them."""

    def __init__(self, relay: Relay, frames: Frames) -> None:
        self._relay = relay
        self._frames = frames
        self._is_said = self._is_due = False

    def say(self) -> None:
        """Asks the client to begin no new streams here."""
        if self._is_said:
            return
        self._is_said = True
        self._is_due = not self._frames.is_between
        if not self._is_due:
            self._relay.pass_on(False, GOAWAY)

    def see(self, from_client: bool, data: bytes) -> bytes:
        if from_client:
            return data
        at = self._frames.walk(data, stops=self._is_due)
        if not self._is_due or not self._frames.is_between:
            return data
        self._is_due = False
        self._frames.walk(data[at:])
        return data[:at] + GOAWAY + data[at:]

    def leave(self) -> None:
        """Nothing is held."""
