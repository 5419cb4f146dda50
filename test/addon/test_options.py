"""Options that follow from others."""

from pathlib import Path

import pytest
from conftest import Proxy, make_flow
from mitmproxy import io
from mitmproxy.addons.serverplayback import ServerPlayback


@pytest.fixture(autouse=True)
def playback(proxy: Proxy) -> ServerPlayback:
    playback = ServerPlayback()
    proxy.context.master.addons.add(playback)
    return playback


def start(proxy: Proxy) -> None:
    proxy.context.master.addons.get("mittens-options").running()


def test_the_defaults_change_nothing(proxy: Proxy) -> None:
    options = proxy.context.options
    assert options.mittens_ports == ""
    assert options.mittens_body_limit is None
    assert options.mittens_forwarded is False
    assert options.mittens_web_token == ""
    start(proxy)
    assert options.mode == ["regular"]


def test_a_replay_answers_as_often_as_asked_whatever_the_host(
    proxy: Proxy, playback: ServerPlayback, tmp_path: Path
) -> None:
    recorded = make_flow("/price", b"12")
    recorded.request.host = "elsewhere.example"
    with open(tmp_path / "flows", "wb") as file:
        io.FlowWriter(file).add(recorded)
    proxy.set(server_replay=[str(tmp_path / "flows")])
    start(proxy)
    for _ in range(3):
        asked = make_flow("/price")
        asked.response = None
        asked.request.host = "localhost"
        playback.request(asked)
        answered = asked.response
        assert answered
        assert answered.content == b"12"


def test_the_web_token_opens_mitmweb_where_it_asks_for_one(proxy: Proxy) -> None:
    loader = proxy.context.options
    loader.add_option("web_open_browser", bool, True, "")
    loader.add_option("web_password", str, "", "")
    proxy.set(mittens_web_token="s3cret")
    start(proxy)
    assert (loader.web_open_browser, loader.web_password) == (False, "s3cret")


def test_the_web_token_is_no_error_where_mitmweb_asks_for_none(proxy: Proxy) -> None:
    proxy.set(mittens_web_token="s3cret")
    start(proxy)
    assert "web_password" not in proxy.context.options
