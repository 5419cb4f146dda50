"""Memory."""

from dataclasses import dataclass


@dataclass
class Budget:
    """What all open connections may take in memory, in bytes."""

    body: int
    """What is kept of one body or WebSocket message."""
    content: int
    """What all bodies and messages may take: beyond it they are cut."""
    total: int
    """What everything may take that is open: beyond it connections are read no further."""
    used: int = 0


class Account:
    """The part of a budget that one connection uses."""

    __slots__ = ("budget", "used")

    def __init__(self, budget: Budget) -> None:
        self.budget = budget
        self.used = 0

    def charge(self, size: int) -> None:
        """`size` is negative when memory is given back."""
        self.used += size
        self.budget.used += size

    def has_room(self, size: int) -> bool:
        """Whether so many bytes of a body or message may be kept."""
        return self.budget.used + size <= self.budget.content

    def is_exceeded(self) -> bool:
        return self.budget.used > self.budget.total

    def settle(self) -> None:
        """Gives everything back."""
        self.charge(-self.used)
