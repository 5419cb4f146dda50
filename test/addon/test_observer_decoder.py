import random
import zlib
from collections.abc import Callable

import pytest
from copies import (
    ACCEPT,
    CHUNKED,
    GET,
    MIB,
    OK,
    PREFACE,
    SETTINGS,
    SOCKET,
    Copies,
    begin,
    frame,
    h2_frame,
    opened,
    read,
)
from observer.frame import FrameError

HEADERS = bytes.fromhex("828684") + b"\x41\x01h"
STREAMS: list[tuple[str, bytes]] = [
    ("C", PREFACE + SETTINGS + h2_frame(1, 4, 1, HEADERS) + h2_frame(0, 9, 1, b"\x02body\0\0")),
    ("S", SETTINGS + h2_frame(1, 4, 1, b"\x88") + h2_frame(0, 0, 1, b"out") + h2_frame(1, 5, 1, b"\x00\x01a\x01b")),
]
DEFLATED = zlib.compressobj(wbits=-15)
SAID = DEFLATED.compress(b"wool wool wool") + DEFLATED.flush(zlib.Z_SYNC_FLUSH)[:-4]
AGREED = ACCEPT[:-2] + b"Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n"
CASES: dict[str, tuple[list[tuple[str, bytes]], list[str]]] = {
    "keep-alive": ([("C", GET), ("S", OK), ("C", GET), ("S", OK)], ["GET / | 200 b'ok'"] * 2),
    "pipelined": ([("C", GET * 3), ("S", OK * 3)], ["GET / | 200 b'ok'"] * 3),
    "chunks and trailers": (
        [("C", GET), ("S", CHUNKED + b"4;x=y\r\nknit\r\n0\r\nX-Sum: 7\r\n\r\n")],
        ["GET / | 200 b'knit' [(b'X-Sum', b'7')]"],
    ),
    "WebSocket": (
        [("C", SOCKET), ("S", AGREED + b"\xc1" + bytes([len(SAID)]) + SAID), ("C", b"\x81\x82\x01\x02\x03\x04ik")],
        ["server says b'wool wool wool'", "client says b'hi'", "GET /chat | 101 b''"],
    ),
    "HTTP/2": (STREAMS, ["GET / b'body' | 200 b'out' [(b'a', b'b')]"]),
    "a server that speaks first": (
        [("S", b"220 hi\r\n"), ("C", b"QUIT\r\n\0")],
        [
            "TCP [('server', b'220 hi\\r\\n'), ('client', b'QUIT\\r\\n\\x00')]",
        ],
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_says_what_passed(name: str) -> None:
    steps, lines = CASES[name]
    assert read(*(frame(kind, data) for kind, data in steps), frame("s")) == lines


@pytest.mark.parametrize("name", CASES)
def test_says_the_same_when_every_byte_comes_alone(name: str) -> None:
    steps, lines = CASES[name]
    frames = [frame(kind, bytes([byte])) for kind, data in steps for byte in data]
    copies = Copies().push(*(bytes([byte]) for byte in b"".join([begin(), opened(), *frames, frame("s"), frame("X")])))
    assert copies.lines() == lines


@pytest.mark.parametrize("name", CASES)
def test_says_the_same_wherever_bytes_are_cut(name: str) -> None:
    steps, lines = CASES[name]
    for index, (kind, data) in enumerate(steps):
        for at in range(len(data)):
            cut = [*steps[:index], (kind, data[:at]), (kind, data[at:]), *steps[index + 1 :]]
            assert read(*(frame(kind, data) for kind, data in cut), frame("s")) == lines


def test_ends_at_any_byte_with_what_it_has() -> None:
    for steps, _ in CASES.values():
        whole = b"".join([begin(), opened(), *(frame(kind, data) for kind, data in steps)])
        for length in range(len(whole)):
            Copies().push(whole[:length]).lines()


def test_survives_bytes_that_are_damaged() -> None:
    chance = random.Random(11)
    for _ in range(3000):
        steps, _ = chance.choice(list(CASES.values()))
        frames = [opened()]
        for kind, data in steps:
            damaged = bytearray(data)
            for _ in range(chance.randrange(3)):
                damaged[chance.randrange(len(damaged))] = chance.randrange(256)
            frames.append(frame(kind, bytes(damaged)))
            frames += chance.choices([frame("G", {"client": 1}), frame("c"), frame("R"), b""], [1, 1, 1, 20])
        for line in Copies().push(begin(), *frames).lines():
            assert "in mittens" not in line


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (b"what is this, then?", "no frame begins here"),
        (frame("C")[:13] + b"\xff\xff\xff\xff", "a frame of 4294967295 bytes"),
        (frame("H", {"wire": 2}), "frame H: its version is 2, and 1 is known"),
        (frame("H", {"wire": 1, "ports": [7]}), "frame H: its ports are none"),
        (frame("O", b"{" * 5000), "frame O: its JSON is broken"),
        (frame("O", {"client": ["a", "b"]}), "frame O: client is not an address"),
        (frame("G", {"client": -1}), "frame G: client is not a count"),
    ],
)
def test_refuses_what_are_no_frames(damage: bytes, message: str) -> None:
    copies = Copies().push(begin(), opened())
    with pytest.raises(FrameError, match=message):
        copies.push(damage)
    copies.lines()


def test_begins_again_at_the_next_request_after_a_gap() -> None:
    missing = "10 bytes of the client and 20 of the app are missing"
    gap = frame("G", {"client": 10, "app": 20})
    assert read(frame("C", GET), gap, frame("S", b"rest"), frame("C", GET), frame("S", OK)) == [
        f"GET / ! {missing}",
        f"TCP [('server', b'rest')] # mittens: joined midway: {missing}",
        "GET / | 200 b'ok'",
    ]


def test_joins_a_connection_midway() -> None:
    copies = Copies().push(begin(), opened(joined=True), frame("S", b"rest"), frame("C", GET), frame("S", OK))
    assert copies.lines() == ["TCP [('server', b'rest')] # mittens: joined midway", "GET / | 200 b'ok'"]


@pytest.mark.parametrize(
    ("frames", "is_boundary"),
    [
        ([], True),
        ([frame("C", GET), frame("S", OK)], True),
        ([frame("C", GET)], False),
        ([frame("C", GET[:5])], False),
        ([frame("C", GET), frame("S", OK[:-1])], False),
        ([frame("C", GET), frame("S", OK), frame("C", GET[:5])], False),
        ([frame("C", GET), frame("S", OK + b"more")], False),
        ([frame("C", GET), frame("S", OK), frame("c")], False),
        ([frame("C", GET), frame("S", OK), frame("s")], False),
        ([frame("C", GET), frame("S", OK), frame("r")], False),
        ([frame("C", GET), frame("S", OK), frame("G", {"app": 1})], False),
        ([frame("C", GET), frame("S", OK), frame("G", {"app": 1}), frame("C", GET), frame("S", OK)], True),
        ([frame("C", SOCKET), frame("S", ACCEPT)], False),
        ([frame(kind, data) for kind, data in STREAMS], False),
        ([frame("C", b"*1\r\n")], False),
        ([frame("X")], False),
    ],
)
def test_tells_whether_a_connection_is_between_two_requests(frames: list[bytes], is_boundary: bool) -> None:
    assert Copies().push(begin(), opened(), *frames, frame("Q")).answers == [is_boundary]


def test_what_goes_wrong_on_one_connection_is_shown_and_does_not_touch_others(monkeypatch: pytest.MonkeyPatch) -> None:
    copies = Copies().push(begin(), opened(1), opened(2), frame("C", GET, 1), frame("C", GET, 2))
    with monkeypatch.context() as patched:
        patched.setattr(copies.recorder, "response_begins", fail)
        copies.push(frame("S", OK, 1))
    copies.push(frame("S", b"more", 1), frame("s"), frame("X"), frame("S", OK, 2), frame("X", b"", 2))
    assert copies.recorder.lines == [
        "GET / | 200 b'' ! ValueError in mittens: odd",
        "TCP [('server', b'more')] # mittens: not read: ValueError in mittens: odd",
        "GET / | 200 b'ok'",
    ]


def fail(*_: object) -> None:
    raise ValueError("odd")


def endless(first: bytes, more: bytes, times: int) -> Callable[[Copies], Copies]:
    """Sends on a connection, again and again."""
    return lambda copies: copies.push(begin(), opened(), frame("C", first), *[frame("C", more)] * times)


HOSTILE: dict[str, Callable[[Copies], Copies]] = {
    "a head without an end": endless(b"GET / HTTP/1.1\r\n", b"x: y\r\n" * 10_000, 100),
    "a line that goes on without end": endless(b"GET / HTTP/1.1\r\nx: y\r\n", b" z\r\n" * 10_000, 100),
    "requests without end": endless(GET, GET * 3000, 20),
    "a greeting without an end": lambda copies: copies.push(begin(), opened(), *[frame("S", b"x" * 60_000)] * 400),
    "connections without end": lambda copies: copies.push(
        begin(), *(opened(id) + frame("C", GET, id) for id in range(1, 3000))
    ),
    "streams without end": endless(
        PREFACE + SETTINGS, b"".join(h2_frame(1, 4, stream, HEADERS) for stream in range(1, 5001, 2)), 2
    ),
    "headers that go on without end": endless(
        PREFACE + SETTINGS + h2_frame(1, 0, 1, HEADERS), h2_frame(9, 0, 1, b"x" * 60_000), 60
    ),
    "headers that refer to many": endless(
        PREFACE + SETTINGS + h2_frame(1, 4, 1, b"\x40\x01a\x7f\x81\x1e" + b"x" * 4000),
        h2_frame(1, 4, 3, b"\xbe" * 60_000),
        3,
    ),
    "tunnels within tunnels": lambda copies: copies.push(
        begin(),
        opened(),
        frame("C", b"CONNECT a:1 HTTP/1.1\r\n\r\n" * 5000),
        frame("S", b"HTTP/1.1 200 OK\r\n\r\n" * 5000),
    ),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_keeps_within_its_budget(name: str) -> None:
    copies = Copies(content=4 * MIB, total=8 * MIB)
    lines = HOSTILE[name](copies).lines()
    assert copies.most < 10 * MIB
    assert not any("in mittens" in line for line in lines)


def test_keeps_the_beginning_of_a_body_and_says_so() -> None:
    length = 5 * MIB + 1000
    head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % length
    (line,) = read(frame("C", GET), frame("S", head), frame("S", b"x" * length))
    assert line.endswith(f"# mittens: cut to {5 * MIB} bytes, the longest from {length}")
    assert len(line) < 5 * MIB + 200


def test_inflates_no_more_than_is_kept() -> None:
    bomb = zlib.compressobj(wbits=-15)
    data = bomb.compress(bytes(40 * MIB)) + bomb.flush(zlib.Z_SYNC_FLUSH)[:-4]
    socket_frame = b"\xc1\x7e" + len(data).to_bytes(2, "big") + data
    lines = read(frame("C", SOCKET), frame("S", AGREED + socket_frame + b"\x81\x02ok"), frame("s"))
    assert lines[1:] == [
        "server says b'ok'",
        f"GET /chat | 101 b'' # mittens: cut to {5 * MIB} bytes, the longest from {40 * MIB}",
    ]
