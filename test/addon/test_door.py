"""What passes the door, as its client and its app see it: real sockets, and the door in a process of its own."""

import contextlib
import json
import os
import signal
import socket
import struct
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from doors import Door, Frame, door_to, free_port, listen, opened, receive, sent, start, wait_for

RESET = struct.pack("ii", 1, 0)


@pytest.fixture
def door(tmp_path: Path) -> Iterator[Door]:
    with listen() as app, door_to(app, tmp_path) as door:
        yield door


def kinds(frames: list[Frame]) -> str:
    return "".join(frame.kind for frame in frames if frame.connection)


def send_until_full(sock: socket.socket) -> int:
    """@returns how many bytes were taken before nobody took more for a second."""
    sock.settimeout(1)
    total = 0
    with contextlib.suppress(TimeoutError):
        while True:
            total += sock.send(b"x" * 65536)
    return total


def test_bytes_pass_both_ways_untouched(door: Door) -> None:
    client, app = door.pair()
    client.sendall(bytes(range(256)))
    assert receive(app, 256) == bytes(range(256))
    app.sendall(b"\r\n\0answer\xff")
    assert receive(client, 10) == b"\r\n\0answer\xff"


def test_an_app_that_speaks_first_is_heard(door: Door) -> None:
    client, app = door.pair()
    app.sendall(b"220 ready\r\n")
    assert receive(client, 11) == b"220 ready\r\n"


def test_a_client_that_has_ended_still_gets_its_answer(door: Door) -> None:
    client, app = door.pair()
    client.sendall(b"all of it")
    client.shutdown(socket.SHUT_WR)
    assert receive(app, 100) == b"all of it"
    app.sendall(b"the answer")
    app.close()
    assert receive(client, 100) == b"the answer"


def test_an_app_that_has_ended_still_gets_what_the_client_sends(door: Door) -> None:
    client, app = door.pair()
    app.shutdown(socket.SHUT_WR)
    assert receive(client, 1) == b""
    client.sendall(b"more")
    client.shutdown(socket.SHUT_WR)
    assert receive(app, 100) == b"more"


@pytest.mark.parametrize("resets", ["client", "app"])
def test_a_reset_reaches_the_other_side(door: Door, resets: str) -> None:
    sides = dict(zip(("client", "app"), door.pair(), strict=True))
    one, other = sides[resets], sides["app" if resets == "client" else "client"]
    one.sendall(b"last words")
    assert receive(other, 10) == b"last words"
    one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    one.close()
    with pytest.raises(ConnectionResetError):
        other.recv(1)
    assert kinds(door.wait_for(lambda frames: kinds(frames).endswith("X"))) in ("OCrX", "OSRX")


def test_what_was_sent_before_a_reset_arrives(door: Door) -> None:
    client, app = door.pair()
    body = os.urandom(300_000)
    app.sendall(body[:200_000])
    receive_in_background: list[bytes] = []
    reader = threading.Thread(target=lambda: receive_in_background.append(receive(client, len(body))))
    reader.start()
    app.sendall(body[200_000:])
    wait_for(lambda: sent(door.frames(), "S"), lambda data: len(data) == len(body))
    app.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    app.close()
    reader.join(20)
    assert receive_in_background == [body]


def test_an_early_answer_of_an_app_that_resets_uploads_arrives(door: Door) -> None:
    client, app = door.pair()
    client.sendall(b"POST / HTTP/1.1\r\nContent-Length: 9999999\r\n\r\n")
    assert receive(app, 4) == b"POST"
    app.sendall(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n")
    # Closing with bytes unread resets the connection.
    wait_for(lambda: sent(door.frames(), "C"), lambda data: len(data) > 40)
    app.close()
    assert receive(client, 12) == b"HTTP/1.1 413"


def test_a_client_that_does_not_read_holds_back_the_app_alone(door: Door) -> None:
    slow, app = door.pair()
    total = send_until_full(app)
    other, other_app = door.pair()
    other_app.sendall(b"quick")
    assert receive(other, 5) == b"quick"
    # What the door itself holds of it is bounded: the rest is in the kernel's buffers.
    assert total < 32 * 1024 * 1024
    assert len(receive(slow, total)) == total


def test_large_bodies_arrive_whole_both_ways_at_once(door: Door) -> None:
    client, app = door.pair()
    bodies = {client: os.urandom(8_000_000), app: os.urandom(8_000_000)}
    writers = [threading.Thread(target=side.sendall, args=(body,)) for side, body in bodies.items()]
    heard: dict[socket.socket, bytes] = {}
    readers = [
        threading.Thread(target=lambda side=side: heard.update({side: receive(side, 8_000_000)})) for side in bodies
    ]
    for thread in writers + readers:
        thread.start()
    for thread in writers + readers:
        thread.join(60)
    assert heard[client] == bodies[app]
    assert heard[app] == bodies[client]
    frames = door.wait_for(lambda frames: len(sent(frames, "C")) == len(sent(frames, "S")) == 8_000_000)
    assert sent(frames, "C") == bodies[client]
    assert sent(frames, "S") == bodies[app]


def test_a_client_of_an_app_that_is_gone_is_reset(door: Door) -> None:
    door.app.close()
    client = door.connect()
    with pytest.raises(ConnectionResetError):
        client.recv(1)
    assert kinds(door.wait_for(lambda frames: kinds(frames).endswith("X"))) == "ORX"


def test_an_app_on_the_pods_ip_is_reached_there(tmp_path: Path) -> None:
    with listen("127.0.0.2") as app, door_to(app, tmp_path) as door:
        door.pair()
        frames = door.wait_for(lambda frames: kinds(frames).startswith("O"))
        assert opened(frames)["server"] == ["127.0.0.2", app.getsockname()[1]]


def test_the_pods_ip_goes_before_localhost(tmp_path: Path) -> None:
    with listen("127.0.0.2") as app, listen("127.0.0.1", app.getsockname()[1]), door_to(app, tmp_path) as door:
        client, served = door.pair()
        client.sendall(b"hello")
        assert receive(served, 5) == b"hello"


def test_an_app_on_ipv6_alone_is_reached(tmp_path: Path) -> None:
    with listen("::1") as app, door_to(app, tmp_path) as door:
        client, served = door.pair()
        client.sendall(b"hello")
        assert receive(served, 5) == b"hello"


def test_a_port_that_somebody_has_is_refused_before_anything_is_touched(tmp_path: Path) -> None:
    with listen() as app, listen() as holder:
        door = start(tmp_path, holder.getsockname()[1], app.getsockname()[1])
        _, said = door.communicate(timeout=20)
        assert door.returncode == 1
        assert said == "the door can't have its port: Address already in use\n"
        assert not (tmp_path / "ready").exists()


def test_an_app_that_resets_what_it_accepts_gets_no_second_connection(tmp_path: Path) -> None:
    accepted: list[None] = []

    def serve(app: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                served, _ = app.accept()
                accepted.append(None)
                served.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
                served.close()

    with listen() as app, door_to(app, tmp_path) as door:
        threading.Thread(target=serve, args=[app], daemon=True).start()
        for _ in range(300):
            with contextlib.suppress(ConnectionResetError):
                door.connect().recv(10)
        frames = door.wait_for(lambda frames: sum(frame.kind == "X" for frame in frames) == 300)
        assert len(accepted) == 300
        servers = [json.loads(frame.payload)["server"] for frame in frames if frame.kind == "O"]
        assert servers == [["127.0.0.1", app.getsockname()[1]]] * 300


def test_clients_are_refused_until_the_app_listens(tmp_path: Path) -> None:
    port, app_port = free_port(), free_port()
    door = start(tmp_path, port, app_port)
    try:
        wait_for((tmp_path / "counts").exists, bool)
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port), 5)
        assert not (tmp_path / "ready").exists()
        with listen(port=app_port) as app:
            wait_for((tmp_path / "ready").exists, bool)
            client = socket.create_connection(("127.0.0.1", port), 5)
            app.accept()[0].close()
            client.close()
    finally:
        door.kill()
        door.communicate()


def test_it_leaves_when_the_last_connection_has_ended(door: Door) -> None:
    client, app = door.pair()
    door.process.send_signal(signal.SIGUSR1)
    # What is open goes on, and new clients are still taken: not everybody knows yet where the Service points.
    late, late_app = door.pair()
    late.sendall(b"late")
    assert receive(late_app, 4) == b"late"
    late.close()
    late_app.close()
    client.sendall(b"still here")
    assert receive(app, 10) == b"still here"
    client.close()
    app.close()
    assert door.process.wait(20) == 0
    assert door.frames()[-1].kind == "Z"


def test_what_is_still_open_when_clients_have_had_their_time_is_ended_then_reset(tmp_path: Path) -> None:
    with listen() as app, door_to(app, tmp_path, LEAVE=0.5) as door:
        client, served = door.pair()
        door.process.send_signal(signal.SIGUSR1)
        for side in (client, served):
            assert side.recv(1) == b""
        assert door.process.wait(20) == 0
        for side in (client, served):
            with pytest.raises(ConnectionError):
                side.sendall(b"2" * 10_000_000)


def test_the_wire_has_every_byte_with_direction_and_time(door: Door) -> None:
    before = time.time_ns() // 1000
    client, app = door.pair()
    address = client.getsockname()
    client.sendall(b"ping")
    assert receive(app, 4) == b"ping"
    app.sendall(b"pong")
    assert receive(client, 4) == b"pong"
    client.close()
    assert receive(app, 1) == b""
    app.close()
    frames = door.wait_for(lambda frames: kinds(frames).endswith("X"))
    assert kinds(frames) == "OCScsX"
    assert (sent(frames, "C"), sent(frames, "S")) == (b"ping", b"pong")
    assert opened(frames) == {
        "client": list(address),
        "listen": door.port,
        "server": ["127.0.0.1", door.app.getsockname()[1]],
    }
    times = [frame.time for frame in frames]
    assert times == sorted(times)
    assert before <= times[1] <= time.time_ns() // 1000


def test_a_wire_file_that_is_full_says_so_and_traffic_goes_on(tmp_path: Path) -> None:
    with listen() as app, door_to(app, tmp_path, "--wire-limit=100000") as door:
        client, served = door.pair()
        for _ in range(4):
            client.sendall(b"x" * 50_000)
            assert receive(served, 50_000) == b"x" * 50_000
        client.close()
        served.close()
        door.leave(signal.SIGUSR1)
        frames = door.frames()
        assert (tmp_path / "wire").stat().st_size < 101_000
        totals = json.loads(frames[-1].payload)
        assert totals["skipped"] == 200_000 - len(sent(frames, "C")) > 0
