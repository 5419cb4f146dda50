"""How a connection begins, which shows what it speaks."""

from collections.abc import Callable

from .http2 import Frames
from .speech import LONGEST, Speech, recognize


class Opening:
    """Sees what passes first, until it is known what is spoken."""

    def __init__(self, decide: Callable[[Speech, Frames], None]) -> None:
        """@param decide: is called once, with the frames of the app's so far."""
        self._decide = decide
        self._begin = b""
        self._frames = Frames()

    def see(self, from_client: bool, data: bytes) -> bytes:
        speech: Speech | None = None
        if from_client:
            self._begin += data[:LONGEST]
            speech = recognize(self._begin)
        else:
            self._frames.walk(data)
            if not self._frames.is_greeting:
                speech = "other"
        if speech:
            self._decide(speech, self._frames)
            # What is decided by an answer of HTTP/2 has been walked over.
        return data

    def leave(self) -> None:
        """Nothing is held."""
