"""HTTP/2 without the GOAWAYs that end nothing."""

import pytest
from addon.http2 import GoawayFilter, is_settings
from door.http2 import GOAWAY
from door.speech import PREFACE


def frame(kind: int, payload: bytes, stream: int = 1) -> bytes:
    return len(payload).to_bytes(3, "big") + bytes([kind, 0]) + stream.to_bytes(4, "big") + payload


DATA = frame(0, b"d" * 300)
SETTINGS = frame(4, b"", 0)
FAILING = frame(7, bytes(4) + (2).to_bytes(4, "big") + b"why", 0)
GOODBYE = frame(7, bytes(8) + b"bye", 0)


@pytest.mark.parametrize("size", [1, 7, 50, 10_000])
def test_frames_pass_in_pieces_of_any_size_but_for_a_goaway_without_an_error(size: int) -> None:
    whole = PREFACE + SETTINGS + DATA + GOAWAY + DATA + FAILING + GOODBYE
    frames = GoawayFilter(len(PREFACE))
    read = [frames.read(whole[at : at + size]) for at in range(0, len(whole), size)]
    assert b"".join(passed for passed, _ in read) == PREFACE + SETTINGS + DATA + DATA + FAILING
    assert any(leaves for _, leaves in read)
    assert frames.rest == b""


def test_frames_without_a_goaway_do_not_mean_that_a_side_leaves() -> None:
    assert GoawayFilter(0).read(SETTINGS + DATA + FAILING) == (SETTINGS + DATA + FAILING, False)


def test_our_goaway_is_a_frame_without_an_error() -> None:
    assert GoawayFilter(0).read(GOAWAY) == (b"", True)


@pytest.mark.parametrize(("data", "expected"), [(SETTINGS, True), (SETTINGS[:8], False), (DATA, False), (b"", False)])
def test_a_server_that_greets_in_http2_is_recognized(data: bytes, expected: bool) -> None:
    assert is_settings(data) is expected
