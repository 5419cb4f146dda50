"""Clients that the door hands over to its child, and those that it relays because the child can't take them."""

import contextlib
import os
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from door_children import Child, Kept, kept_door
from doors import receive, sent, wait_for

REQUEST = b"GET /one HTTP/1.1\r\nHost: a\r\n\r\n"
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
SWITCHED = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n"
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
SETTINGS = bytes.fromhex("000000 04 00 00000000")
GOAWAY = bytes.fromhex("000008 07 00 00000000 7fffffff 00000000")


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Kept]:
    with kept_door(tmp_path) as kept:
        yield kept


@pytest.fixture
def closed(tmp_path: Path) -> Iterator[Kept]:
    """A door that relays nobody whom the child should have."""
    with kept_door(tmp_path, "--fail-closed") as kept:
        yield kept


def exchange(client: socket.socket, app: socket.socket, request: bytes = REQUEST, answer: bytes = ANSWER) -> None:
    client.sendall(request)
    assert receive(app, len(request)) == request
    app.sendall(answer)
    assert receive(client, len(answer)) == answer


def answer_questions(child: Child, is_boundary: bool) -> None:
    """Answers each Q as soon as it comes."""

    def work() -> None:
        answered = 0
        with contextlib.suppress(OSError):
            while True:
                asked = [frame.connection for frame in child.frames() if frame.kind == "Q"]
                for connection in asked[answered:]:
                    child.say(**{"boundary": connection, "is": is_boundary})
                answered = len(asked)
                time.sleep(0.005)

    threading.Thread(target=work, daemon=True).start()


def test_a_new_client_is_served_by_the_child_alone(kept: Kept) -> None:
    child = kept.child("change")
    client = kept.door.connect()
    take = child.wait_for_take()
    assert sorted(take.message) == ["client", "deadline", "listen", "take"]
    assert take.message["client"] == list(client.getsockname())
    assert take.message["listen"] == kept.door.port
    assert 0 < take.message["deadline"] - time.monotonic() <= 1
    assert take.data == b""
    child.say(took=take.message["take"])
    client.sendall(b"hello")
    assert receive(take.client, 5) == b"hello"
    take.client.sendall(b"served")
    assert receive(client, 6) == b"served"
    kept.door.wait_for_counts(changing=1, watched=0, failed_open=0, bytes=0)
    take.client.close()
    assert client.recv(1) == b""
    child.say(end=take.message["take"])
    kept.door.wait_for_counts(changing=0)


def test_a_client_that_the_child_refuses_is_relayed(kept: Kept) -> None:
    child = kept.child("change")
    client = kept.door.connect()
    take = child.wait_for_take()
    take.client.close()
    child.say(refused=take.message["take"])
    exchange(client, kept.door.accept())
    kept.door.wait_for_counts(changing=0, watched=1, failed_open=1)


def test_a_client_that_the_child_does_not_take_in_time_is_relayed_and_ends_well(kept: Kept) -> None:
    child = kept.child("change")
    client = kept.door.connect()
    take = child.wait_for_take()
    app = kept.door.accept()
    assert time.monotonic() > take.message["deadline"]
    exchange(client, app)
    app.close()
    # The child still has the socket, too, which must not keep the connection open.
    assert client.recv(1) == b""
    kept.door.wait_for_counts(failed_open=1)


def test_a_client_that_the_child_has_not_taken_is_reset_where_nothing_may_pass_it(closed: Kept) -> None:
    child = closed.child("change")
    client = closed.door.connect()
    take = child.wait_for_take()
    take.client.close()
    child.say(refused=take.message["take"])
    with pytest.raises(ConnectionResetError):
        client.recv(1)
    closed.door.wait_for_counts(failed_open=0, watched=0)


def test_a_stalled_child_is_passed_by(kept: Kept) -> None:
    child = kept.child("change")
    child.answers_pings = False
    kept.door.wait_for_counts(child="stalled")
    exchange(*kept.door.pair())
    assert child.takes == []
    kept.door.wait_for_counts(failed_open=1, watched=1)


def test_a_stalled_child_is_not_passed_by_where_nothing_may(closed: Kept) -> None:
    child = closed.child("change")
    child.answers_pings = False
    closed.door.wait_for_counts(child="stalled")
    with pytest.raises(ConnectionResetError):
        closed.door.connect().recv(1)


def test_a_child_that_dies_gives_back_what_it_has_not_taken(kept: Kept) -> None:
    child = kept.child("change")
    waiting = kept.door.connect()
    child.wait_for_take()
    child.kill()
    exchange(waiting, kept.door.accept())
    exchange(*kept.door.pair())
    kept.door.wait_for_counts(failed_open=2, changing=0)


def test_the_lane_back_is_for_new_clients_alone(kept: Kept) -> None:
    child = kept.child("change")
    first = kept.door.connect()
    take = child.wait_for_take()
    child.say(took=take.message["take"])
    child.say(lane="watch")
    kept.door.wait_for_counts(lane="watch", changing=1)
    exchange(*kept.door.pair())
    take.client.sendall(b"still")
    assert receive(first, 5) == b"still"
    kept.door.wait_for_counts(watched=1, changing=1)


def move(kept: Kept, child: Child) -> tuple[socket.socket, socket.socket]:
    """A client that was relayed before the lane changed."""
    client, app = kept.door.pair()
    exchange(client, app)
    child.say(lane="change")
    kept.door.wait_for_counts(lane="change")
    return client, app


def test_an_open_connection_moves_with_its_next_request(kept: Kept) -> None:
    child = kept.child("watch")
    client, app = move(kept, child)
    answer_questions(child, is_boundary=True)
    client.sendall(REQUEST)
    take = child.wait_for_take()
    assert take.data == REQUEST
    assert take.message["client"] == list(client.getsockname())
    child.say(took=take.message["take"])
    assert app.recv(1) == b""
    take.client.sendall(b"served")
    assert receive(client, 6) == b"served"
    # The copies end before the request that the child serves itself.
    child.wait_for_kinds("HOCSQX")
    kept.door.wait_for_counts(watched=0, changing=1, failed_open=0)


def test_a_busy_connection_moves_between_two_of_its_requests(kept: Kept) -> None:
    child = kept.child("watch")
    client, app = kept.door.pair()
    child.say(lane="change")
    kept.door.wait_for_counts(lane="change")
    answer_questions(child, is_boundary=True)
    client.sendall(REQUEST)
    assert receive(app, len(REQUEST)) == REQUEST
    app.sendall(ANSWER)
    assert receive(client, len(ANSWER)) == ANSWER
    client.sendall(REQUEST)
    assert child.wait_for_take().data == REQUEST


def test_a_request_passes_when_the_child_says_that_another_is_open(kept: Kept) -> None:
    child = kept.child("watch")
    client, app = move(kept, child)
    answer_questions(child, is_boundary=False)
    exchange(client, app)
    child.wait_for_kinds("HOCSQCS")
    assert child.takes == []


def test_a_request_passes_when_the_child_says_nothing(kept: Kept) -> None:
    child = kept.child("watch")
    client, app = move(kept, child)
    began = time.monotonic()
    exchange(client, app)
    assert 0.9 < time.monotonic() - began < 5
    # The next one is not made to wait again.
    began = time.monotonic()
    exchange(client, app)
    assert time.monotonic() - began < 0.9
    # An answer that comes late is to the question, not to what has come since.
    connection = child.frames()[1].connection
    child.say(**{"boundary": connection, "is": True})
    exchange(client, app)
    assert child.takes == []


def test_a_request_passes_when_the_child_refuses_it(kept: Kept) -> None:
    child = kept.child("watch")
    client, app = move(kept, child)
    answer_questions(child, is_boundary=True)
    client.sendall(REQUEST)
    take = child.wait_for_take()
    take.client.close()
    child.say(refused=take.message["take"])
    assert receive(app, len(REQUEST)) == REQUEST
    app.sendall(ANSWER)
    assert receive(client, len(ANSWER)) == ANSWER
    child.wait_for_kinds("HOCSQCS")


def test_a_request_passes_when_the_child_dies_with_the_question(kept: Kept) -> None:
    child = kept.child("watch")
    client, app = move(kept, child)
    client.sendall(REQUEST)
    child.wait_for_kinds("HOCSQ")
    child.kill()
    assert receive(app, len(REQUEST)) == REQUEST


def test_what_the_app_says_meanwhile_keeps_the_connection(kept: Kept) -> None:
    child = kept.child("watch")
    client, app = move(kept, child)
    client.sendall(REQUEST)
    child.wait_for_kinds("HOCSQ")
    app.sendall(b"late")
    assert receive(client, 4) == b"late"
    assert receive(app, len(REQUEST)) == REQUEST
    child.say(**{"boundary": child.frames()[1].connection, "is": True})
    exchange(client, app, b"body", ANSWER)
    assert child.takes == []


def test_a_client_that_has_ended_its_half_is_not_handed_over(kept: Kept) -> None:
    child = kept.child("watch")
    client, app = move(kept, child)
    answer_questions(child, is_boundary=True)
    client.sendall(REQUEST)
    client.shutdown(socket.SHUT_WR)
    assert receive(app, 1000) == REQUEST
    app.sendall(ANSWER)
    app.close()
    assert receive(client, 1000) == ANSWER
    assert child.takes == []


def test_a_request_larger_than_a_message_stays(kept: Kept) -> None:
    child = kept.child("watch")
    client, app = move(kept, child)
    answer_questions(child, is_boundary=True)
    body = os.urandom(2_000_000)
    writer = threading.Thread(target=client.sendall, args=(REQUEST + body,))
    writer.start()
    take_or_app = wait_for(lambda: (child.takes, readable(app)), any)
    if take_or_app[0]:  # Only a piece had come.
        take = child.takes[0]
        child.say(took=take.message["take"])
        assert take.data + receive(take.client, len(REQUEST + body) - len(take.data)) == REQUEST + body
    else:
        assert receive(app, len(REQUEST + body)) == REQUEST + body
    writer.join(20)


def readable(sock: socket.socket) -> bool:
    sock.setblocking(False)
    try:
        return bool(sock.recv(1, socket.MSG_PEEK))
    except BlockingIOError:
        return False
    finally:
        sock.settimeout(20)


def test_other_protocols_stay_until_they_are_told_to_reconnect(kept: Kept) -> None:
    child = kept.child("watch")
    answer_questions(child, is_boundary=False)
    socks = {name: kept.door.pair() for name in ("http2", "websocket", "tcp")}
    exchange(*socks["http2"], PREFACE + SETTINGS, SETTINGS)
    exchange(*socks["websocket"], REQUEST, SWITCHED)
    exchange(*socks["tcp"], b"\x03ping", b"pong")
    child.say(lane="change")
    kept.door.wait_for_counts(lane="change")
    for client, app in socks.values():
        exchange(client, app, b"\x81\x02hi", b"\x81\x02ho")
    assert child.takes == []
    child.say(reconnect=True)
    for name in ("websocket", "tcp"):
        for side in socks[name]:
            assert side.recv(1) == b"", name
            side.close()
    kept.door.wait_for_counts(watched=1)


def test_http2_is_told_to_reconnect_between_two_frames(kept: Kept) -> None:
    child = kept.child("watch")
    client, app = kept.door.pair()
    exchange(client, app, PREFACE + SETTINGS, SETTINGS)
    child.say(lane="change")
    data = bytes.fromhex("000004 00 00 00000001") + b"data"
    app.sendall(data[:11])
    assert receive(client, 11) == data[:11]
    child.say(reconnect=True)
    child.say(lane="watch")
    kept.door.wait_for_counts(lane="watch")
    app.sendall(data[11:] + SETTINGS)
    assert receive(client, 2 + len(GOAWAY) + len(SETTINGS)) == data[11:] + GOAWAY + SETTINGS
    # The copies have what was sent.
    wait_for(lambda: sent(child.frames(), "S"), lambda data: GOAWAY in data)


def test_a_connection_that_can_move_survives_a_reconnect(kept: Kept) -> None:
    child = kept.child("watch")
    client, _ = move(kept, child)
    answer_questions(child, is_boundary=True)
    child.say(reconnect=True)
    wait_for(child.kinds, lambda kinds: "Q" in kinds)
    client.sendall(REQUEST)
    assert child.wait_for_take().data == REQUEST
