"""Bytes that wait for more."""

from .budget import Account


class Unread:
    """Bytes that came and could not be read yet. While everything is read at once nothing is copied."""

    __slots__ = ("_account", "_bytes")

    def __init__(self, account: Account) -> None:
        self._account = account
        self._bytes = bytearray()

    def __len__(self) -> int:
        return len(self._bytes)

    def add(self, piece: bytes) -> bytes | bytearray:
        """Adds a piece. Returns all that is unread, until `keep` is told how much of it has been read."""
        if not self._bytes:
            return piece
        self._bytes += piece
        self._account.charge(len(piece))
        return self._bytes

    def keep(self, data: bytes | bytearray, read: int) -> None:
        """Keeps what could not be read of what `add` gave."""
        if data is self._bytes:
            self._account.charge(-read)
            del self._bytes[:read]
        elif read < len(data):
            self._account.charge(len(data) - read)
            self._bytes += data[read:]

    def view(self) -> bytes:
        return bytes(self._bytes)

    def take(self) -> bytes:
        """Gives all that is unread, and forgets it."""
        taken = bytes(self._bytes)
        self._account.charge(-len(taken))
        self._bytes = bytearray()
        return taken
