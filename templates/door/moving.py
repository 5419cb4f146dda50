"""How an open HTTP/1.1 connection goes over to the child: between two requests."""

import time

from .copies import Copies
from .loop import Loop
from .offers import LARGEST, Client, Offer, Offers
from .relay import Relay
from .speech import begins_request

# How long the child may take to say whether a connection is between two requests, in s. So long a request waits.
ANSWER = 1.0
# How long to let requests pass after one that did not go over, in s: twice as long each time.
FIRST_REST = 0.05
LONGEST_REST = 5.0
# How often and when a connection that is to end is asked about, before it is ended.
PROBES = 3
PROBE = 1.0


class Moving:
    """Holds a request back until the child has said that nothing is open before it, then offers the client with it."""

    def __init__(self, loop: Loop, offers: Offers, client: Client, relay: Relay, copies: Copies) -> None:
        self._loop = loop
        self._offers = offers
        self._client = client
        self._relay = relay
        self._copies = copies
        self._held = b""
        self._is_offered = self._is_left = False
        # How many questions the child has yet to answer. Only the answer to the last one is of now.
        self._unanswered = 0
        self._asked = 0
        self._rest = FIRST_REST
        self._rest_until = 0.0
        # How often it is still asked whether this is a connection that can move; the answer.
        self._probes = 0
        self._can_move = False

    def see(self, from_client: bool, data: bytes) -> bytes:
        if not from_client:
            if self._held:
                self._let_go()
            return data
        if not self._can_ask(data) or not self._copies.ask():
            return data
        self._held = data
        self._relay.hold(self._relay.client)
        self._note_asked()
        asked = self._asked
        self._loop.after(ANSWER, lambda: self._expire(asked))
        return b""

    def leave(self) -> None:
        """Moves no more; what is offered may still be taken."""
        self._is_left = True
        if not self._is_offered:
            self._let_go()

    def answer(self, is_boundary: bool) -> None:
        """The child has answered."""
        self._unanswered = max(0, self._unanswered - 1)
        if self._unanswered or self._is_offered or self._is_left:
            return
        if not self._held:
            self._can_move = is_boundary or self._can_move
        elif is_boundary and self._relay.is_quiet and self._offer():
            self._is_offered = True
            self._relay.hold(self._relay.client, self._relay.app)
        else:
            self._let_go()

    def child_gone(self) -> None:
        """It answers no more. What is offered comes back by itself."""
        self._unanswered = 0
        if not self._is_offered:
            self._let_go()

    def reconnect(self) -> None:
        """Ends the connection, unless it can move: it may be a WebSocket, which begins like a request."""
        self._probes = PROBES
        self._can_move = False
        self._probe()

    def _can_ask(self, data: bytes) -> bool:
        is_possible = not self._held and not self._is_left and len(data) <= LARGEST and begins_request(data)
        return is_possible and time.monotonic() >= self._rest_until and self._offers.can_make and self._relay.is_quiet

    def _note_asked(self) -> None:
        self._unanswered += 1
        self._asked += 1

    def _offer(self) -> bool:
        offer = Offer(taken=self._relay.leave, back=self._take_back)
        return self._offers.make(self._client, self._held, offer)

    def _take_back(self, is_shared: bool) -> None:
        self._relay.is_shared = self._relay.is_shared or is_shared
        self._is_offered = False
        self._let_go()

    def _let_go(self) -> None:
        """What is held passes, and the client goes on being relayed."""
        if not self._held:
            return
        held, self._held = self._held, b""
        self._rest_until = time.monotonic() + self._rest
        self._rest = min(self._rest * 2, LONGEST_REST)
        self._relay.pass_on(True, held)
        self._relay.release()

    def _expire(self, asked: int) -> None:
        if self._held and self._asked == asked and not self._is_offered:
            self._rest = LONGEST_REST
            self._let_go()

    def _probe(self) -> None:
        self._probes -= 1
        if not self._held and self._copies.ask():
            self._note_asked()
        self._loop.after(PROBE, self._judge)

    def _judge(self) -> None:
        if self._can_move or self._is_left or self._is_offered:
            return
        if self._probes > 0 or self._held:
            self._probe()
        else:
            self._relay.finish()
