"""Requests and their responses."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from .body import Body, describe_cut
from .budget import Account
from .head import Header, RequestHead, ResponseHead
from .link import Link

if TYPE_CHECKING:
    from .websocket import WebSocket

# What an exchange and its flow take in memory, and each of its headers, in bytes: both measured, and rounded up.
EXCHANGE_COST = 2560
HEADER_COST = 200
# A hostile app may send interim responses without end.
MAX_NOTES = 10

Head = TypeVar("Head", RequestHead, ResponseHead)


class Message(Generic[Head]):
    """A request or a response: its head, and what came of the rest."""

    __slots__ = ("body", "end", "head", "is_done", "start", "trailers")

    def __init__(self, head: Head, start: float, account: Account) -> None:
        self.head: Head = head
        # When its first byte came, and its last, in seconds since 1970.
        self.start = start
        self.end: float | None = None
        # Whether nothing more of it comes, be it whole or not.
        self.is_done = False
        self.body = Body(account)
        self.trailers: list[Header] | None = None

    def finish(self, time: float) -> None:
        """All of it has come."""
        self.end = time
        self.is_done = True


class Exchange:
    """A request and its response, as far as they have come."""

    __slots__ = ("_heads", "_notes", "account", "error", "link", "request", "response", "shown", "socket")

    def __init__(self, link: Link, account: Account, head: RequestHead, start: float) -> None:
        self.link = link
        self.account = account
        self.request = Message(head, start, account)
        self.response: Message[ResponseHead] | None = None
        # What went wrong first, and when.
        self.error: tuple[str, float] | None = None
        # The WebSocket that it has opened.
        self.socket: WebSocket | None = None
        # What the listener has made of it.
        self.shown: Any = None
        self._notes: list[str] = []
        self._heads = EXCHANGE_COST + cost_of(head)
        account.charge(self._heads)

    def is_done(self) -> bool:
        return self.request.is_done and self.response is not None and self.response.is_done

    def is_answered(self) -> bool:
        return self.response is not None and self.response.is_done

    def answer(self, head: ResponseHead, time: float) -> Message[ResponseHead]:
        """The response has begun."""
        cost = cost_of(head)
        self._heads += cost
        self.account.charge(cost)
        self.response = Message(head, time, self.account)
        return self.response

    def note(self, head: ResponseHead) -> None:
        """A response that goes before the final one: RFC 9110, section 15.2."""
        if head.status != 100 and len(self._notes) < MAX_NOTES:
            status = f"{head.status} {head.reason.decode('latin-1')}".strip()
            self._notes.append(f"mittens: answered first by {status}")

    def note_push(self) -> None:
        self._notes.append("mittens: pushed by the server")

    def fail(self, message: str, time: float) -> None:
        """Something went wrong; the first error is the one that counts."""
        if self.error is None:
            self.error = (message, time)

    def bodies(self) -> Iterator[Body]:
        yield self.request.body
        if self.response:
            yield self.response.body

    def notes(self) -> list[str]:
        """The lines of its comment."""
        return [*self._notes, *(self.socket.notes() if self.socket else []), *describe_cut(self.bodies())]

    def release(self) -> None:
        """Gives back its memory."""
        self.account.charge(-self._heads)
        self._heads = 0
        for body in self.bodies():
            body.clear()


def cost_of(head: RequestHead | ResponseHead) -> int:
    return head.size + len(head.headers) * HEADER_COST
