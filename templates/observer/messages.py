"""Messages of connections that are open."""

from typing import Protocol, TypeVar

from .budget import Account

# What a message takes beside its content, in bytes.
MESSAGE_COST = 300
# What a flow's comment says when earlier messages are not kept, as addon/view_bounds.py says it.
CUT_MESSAGES = "mittens: only its last messages"


class HasContent(Protocol):
    content: bytes


Message = TypeVar("Message", bound=HasContent)


class Messages:
    """Keeps the messages of a TCP connection or a WebSocket within the budget: the last of them."""

    __slots__ = ("_account", "_cost", "_count", "are_cut")

    def __init__(self, account: Account) -> None:
        self._account = account
        self._cost = 0
        self._count = 0
        # Whether earlier ones were left out.
        self.are_cut = False

    def add(self, messages: list[Message], message: Message) -> bool:
        """Adds a message to a list from which others may remove some, too. Returns False when there is no room."""
        if len(messages) != self._count:
            self._recount(messages)
        cost = len(message.content) + MESSAGE_COST
        while messages and not self._account.has_room(cost):
            self.are_cut = True
            del messages[: len(messages) // 2 + 1]
            self._recount(messages)
        if not self._account.has_room(cost):
            self.are_cut = True
            return False
        messages.append(message)
        self._count += 1
        self._charge(cost)
        return True

    def _recount(self, messages: list[Message]) -> None:
        self._count = len(messages)
        self._charge(sum(len(message.content) + MESSAGE_COST for message in messages) - self._cost)

    def _charge(self, cost: int) -> None:
        self._cost += cost
        self._account.charge(cost)

    def release(self) -> None:
        """Gives back their memory."""
        self._charge(-self._cost)
