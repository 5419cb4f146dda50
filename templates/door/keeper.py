"""What there is between the door and its child: copies, messages, and the knowledge of how it does."""

import socket
from collections.abc import Callable

from .child import Child
from .control import Control
from .loop import Loop
from .stream import Stream

# How long a child that has hung up may live on, in s.
PARTING = 10.0


class Keeper:
    """Keeps a child running, with a stream of copies and a control of its own each time."""

    def __init__(self, loop: Loop, command: list[str], opening: bytes, on_failure: Callable[[int], None]) -> None:
        """@param on_failure: gets the exit code of a child that has ended by itself before it ever was ready."""
        self._loop = loop
        self._on_failure = on_failure
        self._child = Child(loop, command, self._started, self._ended)
        self.stream = Stream(loop, opening)
        self.control = Control(loop, self._hung_up)
        # What is to be done when there is a new child, and when it is gone.
        self.on_start: Callable[[], None] = lambda: None
        self.on_gone: Callable[[], None] = lambda: None

    @property
    def is_alive(self) -> bool:
        return self._child.pid is not None

    @property
    def restarts(self) -> int:
        return self._child.restarts

    @property
    def state(self) -> str:
        """How the child does, as the counts have it."""
        if self._child.pid is None:
            return "failed" if self._child.has_started else "starting"
        if not self.control.is_ready:
            return "starting"
        return "stalled" if self.control.is_stalled else "running"

    def start(self) -> None:
        """Starts the child."""
        self._child.start()

    def end(self) -> None:
        """Lets the child end by itself, once it has all copies."""
        self._child.is_kept = False
        self.stream.end()

    def kill(self) -> None:
        """Ends the child at once."""
        self._child.is_kept = False
        self._child.kill()

    def _started(self, copies: socket.socket, control: socket.socket) -> None:
        self.stream.attach(copies)
        self.control.attach(control)
        self.on_start()

    def _hung_up(self) -> None:
        self.stream.detach()
        self.on_gone()
        pid = self._child.pid
        if pid is not None and self._child.is_kept:
            self._loop.after(PARTING, lambda: self._child.kill() if self._child.pid == pid else None)

    def _ended(self, code: int) -> None:
        # It may have said something just before.
        self.control.detach()
        self.stream.detach()
        self.on_gone()
        if code > 0 and not self.control.has_been_ready:
            self._on_failure(code)
