"""How the door ends."""

import os
from collections.abc import Callable

from addon import contract, limits

from .connections import Connections
from .loop import Loop

LOOK = 0.25
# The app has ended when it has not been seen so many times in a row.
QUIET_LOOKS = 2


class Departure:
    """Ends the door without cutting off a connection.

    `drain`: the pod ends. The app says goodbye to its clients itself; the door ends after it.
    `leave`: the Service no longer points here. The app goes on; the door ends after its last client.
    """

    def __init__(
        self, loop: Loop, connections: Connections, app_listens: Callable[[], bool], finish: Callable[[], None]
    ) -> None:
        self._loop = loop
        self._connections = connections
        self._app_listens = app_listens
        self._finish = finish
        self.is_draining = self.is_leaving = False
        self._is_goodbye_said = self._is_finished = False
        self._quiet_looks = 0

    @property
    def has_begun(self) -> bool:
        return self.is_draining or self.is_leaving

    def drain(self) -> None:
        """Ends the door after the app. It overtakes `leave`."""
        if not self.is_draining:
            self.is_draining = True
            self._loop.after(LOOK, self._end_after_app)

    def leave(self) -> None:
        """Ends the door after its last client, or when they have had their time."""
        if not self.has_begun:
            self.is_leaving = True
            self._loop.after(limits.TURN, self._end_after_clients)
            self._loop.after(limits.LEAVE, lambda: None if self.is_draining else self._end())

    def _end_after_app(self) -> None:
        self._quiet_looks = 0 if self._app_listens() else self._quiet_looks + 1
        if self._quiet_looks >= QUIET_LOOKS:
            self._connections.close_answered()
            if self._connections.is_empty:
                self._end()
                return
        self._loop.after(LOOK, self._end_after_app)

    def _end_after_clients(self) -> None:
        if self.is_draining or self._is_finished:
            return
        if not self._is_goodbye_said:
            self._is_goodbye_said = True
            self._connections.say_goodbye()
        self._connections.finish_idle(limits.IDLE)
        if self._connections.is_empty:
            self._end()
        else:
            self._loop.after(LOOK, self._end_after_clients)

    def _end(self) -> None:
        if not self._is_finished:
            self._is_finished = True
            self._finish()


def is_followed() -> bool:
    """Whether somebody has yet to read the end of the wire file."""
    try:
        return len(os.listdir(contract.FOLLOWERS)) > 0
    except OSError:
        return False
