"""Which bodies are streamed, and what is kept of them."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from addon import limits, tasks
from addon.body_keeper import BodyKeeper, Kept
from addon.body_limit import note_cut
from conftest import FakeView, Proxy, make_flow
from mitmproxy.http import HTTPFlow, Response


def keeper_of(flow: HTTPFlow) -> BodyKeeper:
    assert flow.response
    assert isinstance(flow.response.stream, BodyKeeper)
    return flow.response.stream


def start(proxy: Proxy, kind: str = "text/event-stream") -> HTTPFlow:
    flow = make_flow()
    assert flow.response
    flow.response.headers["content-type"] = kind
    flow.response.raw_content = None
    proxy.call("requestheaders", flow)
    proxy.call("responseheaders", flow)
    return flow


@pytest.mark.parametrize(
    "kind",
    [
        "text/event-stream",
        "Text/Event-Stream; charset=utf-8",
        "application/grpc+proto",
        "application/x-ndjson",
        "application/json; stream=watch",
        "multipart/x-mixed-replace; boundary=x",
    ],
)
def test_a_response_of_a_streaming_type_passes_as_it_comes(proxy: Proxy, kind: str) -> None:
    assert keeper_of(start(proxy, kind))(b"piece") == [b"piece"]


@pytest.mark.parametrize("kind", ["text/html", "application/json", "application/json; stream=other"])
def test_other_responses_are_not_streamed(proxy: Proxy, kind: str) -> None:
    flow = start(proxy, kind)
    assert flow.response
    assert flow.response.stream is False


def test_an_app_can_ask_for_streaming(proxy: Proxy) -> None:
    flow = make_flow()
    assert flow.response
    flow.response.headers["x-accel-buffering"] = "no"
    proxy.call("requestheaders", flow)
    proxy.call("responseheaders", flow)
    keeper_of(flow)


def test_a_grpc_request_is_streamed_and_shown(proxy: Proxy) -> None:
    flow = make_flow()
    flow.request.headers["content-type"] = "application/grpc"
    flow.request.raw_content = None
    proxy.call("requestheaders", flow)
    assert isinstance(flow.request.stream, BodyKeeper)
    flow.request.stream(b"call")
    proxy.call("request", flow)
    assert flow.request.raw_content == b"call"


def test_an_empty_piece_does_not_end_the_body(proxy: Proxy) -> None:
    assert keeper_of(start(proxy))(b"") == []


def test_a_stream_is_shown_at_its_end_with_headers_unchanged(proxy: Proxy) -> None:
    flow = start(proxy)
    assert flow.response
    headers = flow.response.headers.copy()
    keeper_of(flow)(b"one")
    keeper_of(flow)(b"two")
    proxy.call("response", flow)
    assert flow.response.raw_content == b"onetwo"
    assert flow.response.headers == headers
    assert proxy.streams.open == {}


def test_one_stream_keeps_its_first_bytes_up_to_the_limit(proxy: Proxy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "STREAM_BYTES", 10)
    flow = start(proxy)
    for _ in range(3):
        assert keeper_of(flow)(b"123456") == [b"123456"]
    proxy.call("response", flow)
    assert flow.response
    assert flow.response.raw_content == b"1234561234"
    assert flow.comment == "mittens: cut to 10 bytes, the longest from 18"


def test_all_open_streams_share_a_limit_and_an_ended_one_leaves_room(
    proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "STREAMS_BYTES", 10)
    first, second = start(proxy), start(proxy)
    keeper_of(first)(b"1234567")
    keeper_of(second)(b"1234567")
    proxy.call("error", first)
    proxy.call("response", second)
    assert first.response
    assert second.response
    assert (first.response.raw_content, second.response.raw_content) == (b"1234567", b"123")
    assert proxy.streams.kept.size == 0
    third = start(proxy)
    keeper_of(third)(b"1234567")
    assert len(keeper_of(third).kept) == 7


def test_a_keeper_that_is_closed_passes_on_and_keeps_no_more() -> None:
    kept = Kept()
    keeper = BodyKeeper(Response.make(200), kept)
    keeper(b"one")
    keeper.close()
    keeper.close()
    assert keeper(b"two") == [b"two"]
    assert (bytes(keeper.kept), keeper.passed, kept.size) == (b"one", 3, 0)


def test_a_body_with_a_hole_is_not_kept_after_the_hole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "STREAMS_BYTES", 2)
    kept = Kept()
    keeper = BodyKeeper(Response.make(200), kept)
    keeper(b"one")
    kept.size = 0
    keeper(b"two")
    assert bytes(keeper.kept) == b"on"


def test_the_view_shows_what_has_passed_of_an_open_stream(
    proxy: Proxy, run_async: Callable[[Callable[[], Awaitable[None]]], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "SHOW_STREAMS", 0.01)
    view = FakeView()
    proxy.show_to(view)
    flow = start(proxy)

    async def work() -> None:
        task = tasks.start(proxy.streams.refresh_view())
        keeper_of(flow)(b"one")
        while not view.updated:
            await asyncio.sleep(0.01)
        assert flow.response
        assert flow.response.raw_content == b"one"
        keeper_of(flow)(b"two")
        while len(view.updated) < 2:
            await asyncio.sleep(0.01)
        # Without news there is no update.
        await asyncio.sleep(0.05)
        assert view.updated == [flow.id, flow.id]
        task.cancel()

    run_async(work)


def test_a_cut_is_noted_once_and_keeps_the_comment_of_the_user() -> None:
    once = note_cut("seen", 10, 20)
    assert once == "seen\nmittens: cut to 10 bytes, the longest from 20"
    assert note_cut(once, 10, 20) == once
