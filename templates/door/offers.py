"""Clients that are offered to the child, which serves those that it takes."""

import socket
import time
from collections.abc import Callable
from dataclasses import dataclass

from .control import Control, Message
from .loop import Loop

# The child may take a client for so long, in s; if it says nothing for GRACE more, the client is the door's again.
DEADLINE = 1.0
GRACE = 0.5
# How many bytes of the client's may go with it: a message has 128 KiB at most.
LARGEST = 64 * 1024


@dataclass
class Client:
    """A client that has connected to a port."""

    number: int
    sock: socket.socket
    address: tuple[str, int]
    listen: int


@dataclass
class Offer:
    """A client whom the child may take."""

    taken: Callable[[], None]
    # Gets whether the child may still have the socket: it has not said that it does not want it.
    back: Callable[[bool], None]


class Offers:
    """Hands clients over to the child, and takes back those that it does not want."""

    def __init__(self, loop: Loop, control: Control) -> None:
        self._loop = loop
        self._control = control
        self._pending: dict[int, Offer] = {}
        # The numbers of the connections that the child serves.
        self.taken: set[int] = set()
        control.on("took", lambda message: self._took(message["took"]))
        control.on("refused", lambda message: self._take_back(message["refused"], is_shared=False))
        control.on("end", self._ended)

    @property
    def is_empty(self) -> bool:
        return not self._pending and not self.taken

    @property
    def can_make(self) -> bool:
        """Whether the child answers."""
        return self._control.is_answering

    def make(self, client: Client, data: bytes, offer: Offer) -> bool:
        """Offers a client, who keeps waiting until it is known whether it is taken.

        @param data: what has already been read of the client's.
        @returns False when the child can't be asked.
        """
        if not self.can_make:
            return False
        deadline = time.monotonic() + DEADLINE
        message = {"take": client.number, "client": client.address, "listen": client.listen, "deadline": deadline}
        if not self._control.send(message, data, [client.sock.fileno()]):
            return False
        self._pending[client.number] = offer
        self._loop.after(DEADLINE + GRACE, lambda: self._expire(client.number, offer))
        return True

    def child_gone(self) -> None:
        """What it served has ended with it, and what it did not take is the door's again."""
        self.taken.clear()
        for number in list(self._pending):
            self._take_back(number, is_shared=False)

    def _expire(self, number: int, offer: Offer) -> None:
        if self._pending.get(number) is not offer:
            return
        # The answer may have come just now.
        self._control.hear()
        if self._pending.get(number) is offer:
            self._take_back(number, is_shared=True)

    def _took(self, number: object) -> None:
        offer = self._pending.pop(number, None) if isinstance(number, int) else None
        if isinstance(number, int) and offer:
            self.taken.add(number)
            offer.taken()

    def _take_back(self, number: object, is_shared: bool) -> None:
        offer = self._pending.pop(number, None) if isinstance(number, int) else None
        if offer:
            offer.back(is_shared)

    def _ended(self, message: Message) -> None:
        number = message["end"]
        if isinstance(number, int):
            self.taken.discard(number)
