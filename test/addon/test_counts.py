"""What the user is told of what mitmproxy does not see."""

import json
import logging

import pytest
from addon import counts
from addon.counts import Counts, describe
from addon.watched import Watched
from conftest import Proxy

NOTHING = {"lane": "watch", "changing": 0, "watched": 3, "failed_open": 0, "skipped_bytes": 0, "restarts": 0}


@pytest.mark.parametrize(
    ("more", "line"),
    [
        ({}, ""),
        ({"lane": "change", "changing": 2}, "2 connections go through mitmproxy, 3 are only watched"),
        ({"skipped_bytes": 12_345_678}, "12.3 MB passed unread, since mitmproxy is too slow"),
        (
            {"failed_open": 4, "restarts": 1},
            "4 passed unchanged, since mitmproxy was busy; mitmproxy was started again 1 times",
        ),
    ],
)
def test_counts_are_told_in_a_line(more: dict[str, object], line: str) -> None:
    assert describe({**NOTHING, **more}) == line


def test_a_line_is_shown_once_and_stays_for_a_while(
    proxy: Proxy, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    Counts(proxy.control, Watched())

    def tell(skipped: int) -> None:
        proxy.door.send(json.dumps({"counts": {**NOTHING, "skipped_bytes": skipped}}).encode())

    caplog.set_level(logging.INFO)
    for pause, skipped in ((10, 0), (10, 1_000_000), (10, 2_000_000), (0, 2_000_000), (0, 3_000_000)):
        monkeypatch.setattr(counts, "PAUSE", pause)
        tell(skipped)
        proxy.control.receive()
    said = [record.message.split(" passed")[0] for record in caplog.records]
    assert said == ["1.0 MB", "2.0 MB", "3.0 MB"]
