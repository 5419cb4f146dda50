"""One thread that waits for sockets, timers and signals."""

import heapq
import itertools
import select
import signal
import socket
import time
from collections.abc import Callable

Handler = Callable[[int], None]
Timer = tuple[float, int, Callable[[], None]]

READ = select.EPOLLIN
WRITE = select.EPOLLOUT
BROKEN = select.EPOLLERR | select.EPOLLHUP


class Loop:
    """Calls back when a file descriptor is ready, a time has come, or a signal has arrived."""

    def __init__(self) -> None:
        self._epoll = select.epoll()
        self._handlers: dict[int, Handler] = {}
        self._timers: list[Timer] = []
        self._numbers = itertools.count()
        self._signals: dict[int, Callable[[], None]] = {}
        self._stopped = False
        # Python writes each signal's number into the one end, from wherever it is interrupted.
        self._wakeup, self._waker = socket.socketpair()
        self._wakeup.setblocking(False)
        self._waker.setblocking(False)
        signal.set_wakeup_fd(self._waker.fileno(), warn_on_full_buffer=False)
        self.watch(self._wakeup.fileno(), READ, self._hear)

    def watch(self, fd: int, events: int, handler: Handler) -> None:
        """Calls `handler` with the events of `fd` that have come, until `forget`."""
        self._handlers[fd] = handler
        self._epoll.register(fd, events)

    def change(self, fd: int, events: int) -> None:
        """Waits for other events of an `fd` that is watched."""
        self._epoll.modify(fd, events)

    def forget(self, fd: int) -> None:
        """Ends `watch`. epoll would go on with a descriptor that lives on in another process."""
        del self._handlers[fd]
        self._epoll.unregister(fd)

    def after(self, seconds: float, call: Callable[[], None]) -> None:
        """Calls once, when that time has passed."""
        heapq.heappush(self._timers, (time.monotonic() + seconds, next(self._numbers), call))

    def on_signal(self, number: signal.Signals, call: Callable[[], None]) -> None:
        """Calls from the loop, not from wherever the signal interrupted."""
        self._signals[number] = call
        signal.signal(number, lambda *_: None)

    def stop(self) -> None:
        """Lets `run` return after what it does now."""
        self._stopped = True

    def run(self) -> None:
        """Works until `stop`."""
        handlers = self._handlers
        poll = self._epoll.poll
        while not self._stopped:
            for fd, events in poll(self._next_timeout()):
                # An earlier one of the same batch may have closed it.
                handler = handlers.get(fd)
                if handler is not None:
                    handler(events)
            self._run_timers()

    def _next_timeout(self) -> float:
        return max(self._timers[0][0] - time.monotonic(), 0) if self._timers else -1

    def _run_timers(self) -> None:
        while self._timers and self._timers[0][0] <= time.monotonic():
            heapq.heappop(self._timers)[2]()

    def _hear(self, _: int) -> None:
        for number in self._wakeup.recv(4096):
            call = self._signals.get(number)
            if call is not None:
                call()
