"""The door's child: how it is started, what it gets to see, and that traffic does not depend on it."""

import json
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from door.child import memory_limit
from door_children import Kept, kept_door
from doors import free_port, opened, receive, sent, wait_for


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Kept]:
    with kept_door(tmp_path) as kept:
        yield kept


def exchange(client: socket.socket, app: socket.socket, size: int = 4) -> None:
    """Sends bytes both ways."""
    client.sendall(b"q" * size)
    assert receive(app, size) == b"q" * size
    app.sendall(b"a" * size)
    assert receive(client, size) == b"a" * size


def test_the_child_is_started_with_the_ports_and_dies_before_the_door(kept: Kept) -> None:
    child = kept.child()
    app = kept.door.app.getsockname()[1]
    assert child.about["args"] == ["--set", f"mittens_ports={kept.door.port}=auto:{app}"]
    assert child.about["oom"] == "1000"


@pytest.mark.parametrize(
    ("text", "limit"),
    [("536870912\n", 469762048), ("67108864", 33554432), ("max\n", None), ("9223372036854771712", None)],
)
def test_the_child_has_the_memory_of_the_container_without_the_share_of_the_door(
    tmp_path: Path, text: str, limit: int | None
) -> None:
    file = tmp_path / "memory.max"
    file.write_text(text)
    assert memory_limit((tmp_path / "no cgroup", file)) == limit


def test_the_ports_open_before_the_child_is_ready(kept: Kept) -> None:
    exchange(*kept.door.pair())
    kept.child()
    kept.door.wait_for_counts(child="starting", lane="watch")


def test_the_ports_wait_for_the_child_where_that_is_asked_for(tmp_path: Path) -> None:
    with kept_door(tmp_path, "--wait", is_open=False) as kept:
        child = kept.child()
        kept.door.wait_for_counts(child="starting")
        with pytest.raises(ConnectionRefusedError):
            kept.door.connect()
        child.say(lane="watch")
        wait_for((tmp_path / "ready").exists, bool)
        exchange(*kept.door.pair())


def test_the_port_for_health_opens_with_the_others(tmp_path: Path) -> None:
    health = free_port()
    with kept_door(tmp_path, "--wait", f"--health={health}", is_open=False) as kept:
        child = kept.child()
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", health), 5)
        child.say(lane="watch")
        wait_for((tmp_path / "ready").exists, bool)
        with socket.create_connection(("127.0.0.1", health), 5) as probe:
            assert probe.recv(1) == b""


def test_the_child_sees_what_passes_as_the_wire_file_has_it(kept: Kept) -> None:
    child = kept.child("watch")
    client, app = kept.door.pair()
    exchange(client, app)
    client.close()
    assert receive(app, 1) == b""
    app.close()
    frames = child.wait_for_kinds("HOCScsX")
    assert (sent(frames, "C"), sent(frames, "S")) == (b"qqqq", b"aaaa")
    assert opened(frames)["client"][0] == "127.0.0.1"
    assert [(frame.kind, frame.connection, frame.time) for frame in frames[1:]] == [
        (frame.kind, frame.connection, frame.time) for frame in kept.door.frames()[1:]
    ]


@pytest.fixture
def slowly_kept(tmp_path: Path) -> Iterator[Kept]:
    """A door that takes its time to start a child again."""
    with kept_door(tmp_path, FIRST_WAIT=2) as kept:
        yield kept


def test_traffic_goes_on_while_the_child_is_dead_and_the_next_one_joins_midway(slowly_kept: Kept) -> None:
    kept = slowly_kept
    first = kept.child("watch")
    client, app = kept.door.pair()
    exchange(client, app)
    first.wait_for_kinds("HOCS")
    first.kill()
    exchange(client, app)
    app.shutdown(socket.SHUT_WR)
    assert receive(client, 1) == b""
    second = kept.child("watch")
    client.sendall(b"more")
    assert receive(app, 4) == b"more"
    frames = second.wait_for_kinds("HOsC")
    assert opened(frames)["joined"] is True
    assert sent(frames, "C") == b"more"
    kept.door.wait_for_counts(restarts=1, skipped_bytes=8, child="running")


def test_a_connection_on_which_nothing_has_passed_is_whole_for_a_new_child(slowly_kept: Kept) -> None:
    kept = slowly_kept
    kept.child("watch").kill()
    client, app = kept.door.pair()
    second = kept.child("watch")
    exchange(client, app)
    assert "joined" not in opened(second.wait_for_kinds("HOCS"))


def test_a_child_that_does_not_read_costs_copies_and_no_traffic(kept: Kept) -> None:
    child = kept.child("watch")
    child.stop_reading()
    client, app = kept.door.pair()
    for _ in range(300):
        exchange(client, app, 100_000)
    total = 300 * 200_000
    client.close()
    app.close()
    kept.door.wait_for_counts(watched=0, bytes=total)
    child.read_on()
    frames = wait_for(child.frames, lambda frames: frames[-1].kind == "X")
    seen = sum(len(frame.payload) for frame in frames if frame.kind in "CS")
    gaps = [json.loads(frame.payload) for frame in frames if frame.kind == "G"]
    missing = sum(gap["client"] + gap["app"] for gap in gaps)
    assert seen + missing == total
    assert seen < 32_000_000, "what waits is bounded"
    assert kept.door.counts()["skipped_bytes"] >= missing


def test_a_child_that_can_not_start_ends_the_door_with_its_code(kept: Kept) -> None:
    kept.child().exit(1)
    assert kept.door.process.wait(20) == 1


def test_a_child_that_was_ready_once_is_started_again_whatever_its_code(kept: Kept) -> None:
    kept.child("watch").exit(1)
    kept.child("watch").exit(0)
    kept.child("watch")
    exchange(*kept.door.pair())
    kept.door.wait_for_counts(restarts=2)


def test_a_child_that_does_not_answer_is_stalled_until_it_does(kept: Kept) -> None:
    child = kept.child("watch")
    child.answers_pings = False
    kept.door.wait_for_counts(child="stalled")
    exchange(*kept.door.pair())
    last = max(message["ping"] for message in child.messages if "ping" in message)
    child.answers_pings = True
    child.say(pong=last)
    kept.door.wait_for_counts(child="running")


def test_nonsense_from_the_child_is_passed_over(kept: Kept) -> None:
    child = kept.child("watch")
    for text in (b"\xff", b"[]", b"{", b"[" * 50_000, b'{"took": []}', b'{"boundary": {}, "is": 1}', b'{"end": "x"}'):
        child.control.send(text)
    child.say(refused=7, pong="x", flows=None)
    child.say(flows=3)
    kept.door.wait_for_counts(flows=3, child="running")
    exchange(*kept.door.pair())


def test_the_child_hears_the_counts(kept: Kept) -> None:
    child = kept.child("watch")
    exchange(*kept.door.pair())
    wait_for(
        lambda: [message["counts"]["bytes"] for message in child.messages if "counts" in message],
        lambda bytes: bytes[-1:] == [8],
    )


def test_a_sample_is_copied_and_everything_is_relayed(tmp_path: Path) -> None:
    with kept_door(tmp_path, "--sample=50") as kept:
        child = kept.child("watch")
        for _ in range(100):
            client, app = kept.door.pair()
            exchange(client, app)
            client.close()
            app.close()
        kept.door.wait_for_counts(connections=100, watched=0, bytes=800)
        skipped = kept.door.counts()["skipped_connections"]
        assert 10 < skipped < 90
        wait_for(child.kinds, lambda kinds: kinds.count("X") == 100 - skipped)


def test_the_child_ends_in_its_own_time_when_the_door_leaves(tmp_path: Path) -> None:
    with kept_door(tmp_path, TURN=0) as kept:
        child = kept.child("watch")
        kept.door.process.send_signal(signal.SIGUSR1)
        child.wait_for_message("leave")
        wait_for(lambda: child.is_at_end, bool)
        assert kept.door.process.poll() is None
        child.exit(0)
        assert kept.door.process.wait(20) == 0


def test_a_child_that_does_not_end_is_ended(tmp_path: Path) -> None:
    with kept_door(tmp_path, TURN=0, FOLLOWERS_TIME=0) as kept:
        pid = kept.child("watch").about["pid"]
        assert kept.door.leave(signal.SIGUSR1) == 0
        wait_for(Path(f"/proc/{pid}").exists, lambda exists: not exists)
