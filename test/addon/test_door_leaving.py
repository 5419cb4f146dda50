"""How the door ends: nobody is cut off who would not have been without it."""

import signal
import socket
import struct
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from doors import Door, door_to, listen, receive, sent, wait_for

REQUEST = b"GET /one HTTP/1.1\r\nHost: a\r\n\r\n"
HEAD = b"HTTP/1.1 200 OK\r\n"
REST = b"Content-Length: 2\r\n\r\nok"
CLOSE = b"Connection: close\r\n"
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
SETTINGS = bytes.fromhex("000000 04 00 00000000")
RESET = struct.pack("ii", 1, 0)
GOAWAY = bytes.fromhex("000008 07 00 00000000 7fffffff 00000000")

# The kernel's clock goes in steps that are shorter, in s.
TICK = 0.02


@pytest.fixture
def leaving(tmp_path: Path) -> Iterator[Door]:
    """A door that says goodbye as soon as it is told to."""
    with listen() as app, door_to(app, tmp_path, TURN=0, IDLE=60) as door:
        yield door


def begin(door: Door) -> tuple[socket.socket, socket.socket]:
    """A connection on which an HTTP/1.1 request has been answered, a moment ago by the kernel's clock."""
    client, app = door.pair()
    assert ask(client, app, REQUEST, HEAD + REST) == HEAD + REST
    let_pass(TICK)
    return client, app


def let_pass(seconds: float) -> None:
    began = time.monotonic()
    wait_for(time.monotonic, lambda now: now > began + seconds)


def ask(client: socket.socket, app: socket.socket, request: bytes, answer: bytes) -> bytes:
    """@returns what the client gets, which is longer if something was put in."""
    client.sendall(request)
    assert receive(app, len(request)) == request
    app.sendall(answer)
    return answer_to(client)


def answer_to(client: socket.socket) -> bytes:
    data = b""
    while not data.endswith((b"\r\n\r\nok", b"\r\n\r\n101")):
        piece = client.recv(65536)
        assert piece
        data += piece
    return data


def say_goodbye(door: Door) -> None:
    """Tells the door to leave, and waits until it has begun: new clients of HTTP/1.1 hear of it."""
    door.process.send_signal(signal.SIGUSR1)

    def hears() -> bool:
        client, app = door.pair()
        said = ask(client, app, REQUEST, HEAD + REST), ask(client, app, REQUEST, HEAD + REST)
        client.close()
        app.close()
        return CLOSE in b"".join(said)

    wait_for(hears, bool)


def test_what_the_app_says_of_keeping_the_connection_gives_way(leaving: Door) -> None:
    client, app = begin(leaving)
    say_goodbye(leaving)
    for header in (b"Connection: keep-alive\r\n", b"connection:Keep-Alive\r\n"):
        assert ask(client, app, REQUEST, HEAD + header + REST) == HEAD + CLOSE + REST
    body = b"Content-Length: 26\r\n\r\nConnection: keep-alive\r\n\r\nok"
    assert ask(client, app, REQUEST, HEAD + body) == HEAD + CLOSE + body


def test_clients_of_http1_are_asked_to_leave_with_their_next_answer(leaving: Door) -> None:
    client, app = begin(leaving)
    say_goodbye(leaving)
    assert ask(client, app, REQUEST, HEAD + REST) == HEAD + CLOSE + REST
    # What was put in is in the copies, too.
    wait_for(lambda: sent(leaving.frames(), "S"), lambda data: HEAD + CLOSE + REST in data)


def test_an_answer_to_a_request_of_before_is_left_alone(leaving: Door) -> None:
    client, app = begin(leaving)
    client.sendall(REQUEST)
    assert receive(app, len(REQUEST)) == REQUEST
    say_goodbye(leaving)
    client.sendall(REQUEST)
    assert receive(app, len(REQUEST)) == REQUEST
    app.sendall(HEAD + REST)
    assert answer_to(client) == HEAD + REST
    assert ask(client, app, REQUEST, HEAD + REST) == HEAD + CLOSE + REST


def test_the_final_answer_is_found_behind_others(leaving: Door) -> None:
    client, app = begin(leaving)
    say_goodbye(leaving)
    interim = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
    assert ask(client, app, REQUEST, interim + HEAD + REST) == interim + HEAD + CLOSE + REST


def test_an_upgrade_and_bytes_that_look_like_an_answer_are_left_alone(leaving: Door) -> None:
    client, app = begin(leaving)
    say_goodbye(leaving)
    switched = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n101"[:-3]
    client.sendall(REQUEST)
    assert receive(app, len(REQUEST)) == REQUEST
    app.sendall(switched)
    assert receive(client, len(switched)) == switched
    app.sendall(HEAD + REST)
    assert answer_to(client) == HEAD + REST


def test_clients_of_http2_get_a_goaway_between_two_frames(leaving: Door) -> None:
    client, app = leaving.pair()
    client.sendall(PREFACE + SETTINGS)
    assert receive(app, 33) == PREFACE + SETTINGS
    # A block of headers in two frames, and nothing may stand between.
    headers = bytes.fromhex("000002 01 00 00000001") + b"ab"
    more = bytes.fromhex("000002 09 04 00000001") + b"cd"
    app.sendall(SETTINGS + headers)
    assert receive(client, 20) == SETTINGS + headers
    say_goodbye(leaving)
    app.sendall(more[:3])
    assert receive(client, 3) == more[:3]
    app.sendall(more[3:] + SETTINGS)
    assert receive(client, 8 + len(GOAWAY) + 9) == more[3:] + GOAWAY + SETTINGS


def test_clients_of_http2_that_come_later_get_a_goaway(leaving: Door) -> None:
    begin(leaving)
    say_goodbye(leaving)
    client, app = leaving.pair()
    app.sendall(SETTINGS)
    assert receive(client, 9) == SETTINGS
    client.sendall(PREFACE + SETTINGS)
    assert receive(app, 33) == PREFACE + SETTINGS
    assert receive(client, len(GOAWAY)) == GOAWAY


def test_idle_connections_are_ended_and_those_that_wait_for_an_answer_are_not(tmp_path: Path) -> None:
    with listen() as app, door_to(app, tmp_path, TURN=0, IDLE=0.5) as door:
        idle, idle_app = begin(door)
        busy, busy_app = begin(door)
        busy.sendall(REQUEST)
        assert receive(busy_app, len(REQUEST)) == REQUEST
        door.process.send_signal(signal.SIGUSR1)
        assert idle.recv(1) == b""
        assert idle_app.recv(1) == b""
        let_pass(1.5)
        busy_app.sendall(HEAD + REST)
        assert answer_to(busy) == HEAD + REST
        for sock in (idle, idle_app):
            sock.close()
        # That one has been answered, and is idle in its turn.
        assert busy.recv(1) == b""
        busy.close()
        busy_app.close()
        assert door.process.wait(20) == 0


def test_whoever_sends_more_after_the_end_is_reset(tmp_path: Path) -> None:
    with listen() as app, door_to(app, tmp_path, TURN=0, IDLE=0.1) as door:
        client, served = begin(door)
        door.process.send_signal(signal.SIGUSR1)
        assert client.recv(1) == b""
        client.sendall(REQUEST)
        for side in (client, served):
            wait_for(lambda side=side: is_connected(side), lambda connected: not connected)  # type: ignore[misc]


def test_the_end_of_the_pod_waits_for_the_app_and_its_connections(tmp_path: Path) -> None:
    with listen() as app, door_to(app, tmp_path) as door:
        client, served = begin(door)
        door.process.send_signal(signal.SIGTERM)
        # The app takes new clients until it has closed its port, and ends the others as it likes.
        late, late_app = begin(door)
        app.close()
        assert ask(client, served, REQUEST, HEAD + REST) == HEAD + REST
        for sock in (late, late_app, served):
            sock.close()
        assert client.recv(1) == b""
        # The client does not close; it has everything.
        assert door.process.wait(20) == 0
        assert door.frames()[-1].kind == "Z"


def test_the_end_of_the_pod_overtakes_a_door_that_leaves(tmp_path: Path) -> None:
    with listen() as app, door_to(app, tmp_path, TURN=0, LEAVE=1) as door:
        client, served = begin(door)
        say_goodbye(door)
        door.process.send_signal(signal.SIGTERM)
        let_pass(1.5)
        client.sendall(REQUEST)
        assert receive(served, len(REQUEST)) == REQUEST
        served.sendall(HEAD + REST)
        assert answer_to(client).startswith(HEAD)
        client.close()
        served.close()
        app.close()
        assert door.process.wait(20) == 0


def test_the_end_waits_for_followers_but_not_for_ever(tmp_path: Path) -> None:
    with listen() as app, door_to(app, tmp_path, TURN=0, FOLLOWERS_TIME=1) as door:
        (tmp_path / "followers").mkdir()
        (tmp_path / "followers" / "one").touch()
        began = time.monotonic()
        door.process.send_signal(signal.SIGUSR1)
        door.wait_for(lambda frames: bool(frames) and frames[-1].kind == "Z")
        assert door.process.wait(20) == 0
        assert time.monotonic() - began > 1


def test_the_end_comes_when_the_last_follower_has_read_it(tmp_path: Path) -> None:
    with listen() as app, door_to(app, tmp_path, TURN=0, FOLLOWERS_TIME=60) as door:
        (tmp_path / "followers").mkdir()
        entry = tmp_path / "followers" / "one"
        entry.touch()
        door.process.send_signal(signal.SIGUSR1)
        door.wait_for(lambda frames: bool(frames) and frames[-1].kind == "Z")
        assert door.process.poll() is None
        entry.unlink()
        assert door.process.wait(20) == 0


def test_a_client_of_an_app_that_has_closed_altogether_is_reset_when_it_sends_more(tmp_path: Path) -> None:
    with listen() as app, door_to(app, tmp_path) as door:
        client, served = begin(door)
        served.close()
        assert client.recv(1) == b""
        client.sendall(b"more")
        wait_for(lambda: is_connected(client), lambda connected: not connected)
        door.wait_for_counts(watched=0)


def test_a_reset_of_an_app_is_seen_by_the_client_even_if_it_was_found_by_writing(tmp_path: Path) -> None:
    with listen() as app, door_to(app, tmp_path) as door:
        client, served = begin(door)
        door.process.send_signal(signal.SIGSTOP)
        client.sendall(REQUEST)
        served.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        served.close()
        door.process.send_signal(signal.SIGCONT)
        with pytest.raises(ConnectionResetError):
            client.recv(1)
        door.wait_for_counts(watched=0)


def is_connected(sock: socket.socket) -> bool:
    """Whether the connection has not been reset."""
    try:
        sock.getpeername()
    except OSError:
        return False
    return True
