"""All clients of the door, and which way each of them goes."""

import socket
from functools import partial

from .connection import Connection, Mode
from .control import Control, Message
from .copies import Address, Copying
from .counts import Counts
from .dial import Dialer
from .loop import Loop
from .moving import Moving
from .offers import Client, Offer, Offers
from .relay import Relay
from .sockets import reset


class Connections:
    """Relays clients, or hands them to the child when it is asked to change what they say."""

    def __init__(self, loop: Loop, copying: Copying, control: Control, counts: Counts, fails_closed: bool) -> None:
        """@param fails_closed: clients that the child should have, but can't, are reset instead of relayed."""
        self._loop = loop
        self._copying = copying
        self._counts = counts
        self._fails_closed = fails_closed
        self._offers = Offers(loop, control)
        self._open: dict[int, Connection] = {}
        self._mode: Mode = "watch"
        self._changes = False
        control.on("lane", lambda message: self._enter_lane(message["lane"]))
        control.on("boundary", self._hear_boundary)
        control.on("reconnect", lambda _: self._reconnect())

    @property
    def is_empty(self) -> bool:
        return not self._open and self._offers.is_empty

    def serve(self, listen: int, dialer: Dialer, client: socket.socket, address: Address) -> None:
        """A client has connected."""
        self._counts.connections += 1
        arrival = Client(self._copying.number(), client, address, listen)
        if not self._changes:
            self._relay(arrival, dialer)
        elif not self._offer(arrival, dialer):
            self._fail(arrival, dialer, is_shared=False)

    def child_gone(self) -> None:
        """What it served has ended with it."""
        for connection in list(self._open.values()):
            if connection.moving:
                connection.moving.child_gone()
        self._offers.child_gone()

    def say_goodbye(self) -> None:
        """Asks all clients, in the way of their protocols, to open their next connection elsewhere."""
        self._enter("leave")

    def finish_idle(self, seconds: float) -> None:
        """Ends those on which nothing has passed for so long."""
        for connection in list(self._open.values()):
            if connection.is_idle(seconds):
                connection.relay.finish()

    def close_answered(self) -> None:
        """Closes those whose app has ended; their clients have all that it sent."""
        for connection in list(self._open.values()):
            if connection.relay.is_answered:
                connection.relay.leave()

    def finish(self) -> None:
        """Ends all that are relayed."""
        for connection in list(self._open.values()):
            connection.relay.finish()

    def abort(self) -> None:
        """Resets all that are relayed."""
        for connection in list(self._open.values()):
            connection.relay.abort()

    def count(self) -> None:
        """Notes how many there are."""
        self._counts.watched = len(self._open)
        self._counts.changing = len(self._offers.taken)
        self._counts.lane = "change" if self._changes else "watch"

    def _offer(self, client: Client, dialer: Dialer) -> bool:
        return self._offers.make(client, b"", Offer(client.sock.close, partial(self._fail, client, dialer)))

    def _fail(self, client: Client, dialer: Dialer, is_shared: bool) -> None:
        """The child can't take a client, whose socket it may have nevertheless."""
        if self._fails_closed:
            reset(client.sock, is_shared)
        else:
            self._counts.failed_open += 1
            self._relay(client, dialer, is_shared)

    def _relay(self, client: Client, dialer: Dialer, is_shared: bool = False) -> None:
        dialer.dial(partial(self._begin, client, is_shared))

    def _begin(self, client: Client, is_shared: bool, app: socket.socket | None, server: Address | None) -> None:
        copies = self._copying.begin(client.number, client.address, client.listen, server)
        if app is None:
            # Without us the client would have been refused; it has connected, so that a reset is next to it.
            copies.reset(by_client=False)
            copies.close()
            reset(client.sock, is_shared)
            return
        relay = Relay(self._loop, client.sock, app, copies, on_close=lambda: self._forget(client.number))
        relay.is_shared = is_shared
        move = partial(Moving, self._loop, self._offers, client, relay, copies)
        self._open[client.number] = Connection(relay, self._mode, move)

    def _forget(self, number: int) -> None:
        self._open.pop(number, None)

    def _enter_lane(self, lane: object) -> None:
        self._changes = lane == "change"
        if self._mode != "leave":
            self._enter("move" if self._changes else "watch")

    def _enter(self, mode: Mode) -> None:
        if mode == self._mode:
            return
        self._mode = mode
        for connection in list(self._open.values()):
            connection.enter(mode)

    def _hear_boundary(self, message: Message) -> None:
        number = message["boundary"]
        connection = self._open.get(number) if isinstance(number, int) else None
        if connection and connection.moving:
            connection.moving.answer(message.get("is") is True)

    def _reconnect(self) -> None:
        for connection in list(self._open.values()):
            connection.reconnect()
