"""Bodies."""

from collections.abc import Iterable

from .budget import Account


class Body:
    """The bytes of a body or a message, of which the first are kept."""

    __slots__ = ("_account", "_kept", "total")

    def __init__(self, account: Account) -> None:
        self._account = account
        # A body that came in one piece is not copied.
        self._kept: bytes | bytearray = b""
        self.total = 0

    @property
    def kept(self) -> int:
        """How many of its bytes are kept."""
        return len(self._kept)

    def is_cut(self) -> bool:
        return self.total > len(self._kept)

    def add(self, piece: bytes) -> None:
        is_whole = self.total == len(self._kept)
        self.total += len(piece)
        if not is_whole:
            return
        kept = piece[: self._account.budget.body - len(self._kept)]
        if not kept or not self._account.has_room(len(kept)):
            return
        self._account.charge(len(kept))
        if not self._kept:
            self._kept = kept
            return
        if isinstance(self._kept, bytes):
            self._kept = bytearray(self._kept)
        self._kept += kept

    def content(self) -> bytes:
        """What is kept."""
        return bytes(self._kept)

    def clear(self) -> None:
        self._account.charge(-len(self._kept))
        self._kept = b""
        self.total = 0


def describe_cut(bodies: Iterable[Body]) -> list[str]:
    """What a flow's comment says when parts of it are not kept, as addon/body_limit.py says it."""
    cut = [body for body in bodies if body.is_cut()]
    if not cut:
        return []
    longest = max(cut, key=lambda body: body.total)
    return [f"mittens: cut to {longest.kept} bytes, the longest from {longest.total}"]
