"""Watched connections in mitmproxy: what its addons see of them."""

import asyncio
import logging
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from addon import contract, limits
from addon.flow_writer import FlowWriter
from addon.observer import Observer
from addon.options import Options
from addon.view_bounds import ViewBounds
from addon.watched import Watched
from conftest import read_flows
from copies import ACCEPT, CHUNKED, GET, OK, SOCKET, begin, frame, opened
from mitmproxy.addons.intercept import Intercept
from mitmproxy.addons.modifyheaders import ModifyHeaders
from mitmproxy.addons.save import Save
from mitmproxy.addons.savehar import SaveHar
from mitmproxy.addons.stickycookie import StickyCookie
from mitmproxy.addons.view import View
from mitmproxy.flow import Flow
from mitmproxy.http import HTTPFlow
from mitmproxy.tcp import TCPFlow
from mitmproxy.test import taddons
from observer.decoder import Decoder


class Tap:
    """An observer in a mitmproxy that serves nobody."""

    def __init__(self, context: taddons.context, observer: Observer, folder: Path) -> None:
        self.context = context
        self.observer = observer
        self.folder = folder
        self.view = View()
        self.decoder: Decoder = observer.create_decoder()

    def show_view(self) -> None:
        self.context.master.view = self.view  # type: ignore[attr-defined]

    def push(self, *frames: bytes) -> None:
        for _ in self.decoder.push(b"".join(frames)):
            pass

    def watch(self, *frames: bytes) -> None:
        """A connection from its beginning to its end."""
        self.push(begin(), opened(), *frames, frame("s"), frame("X"))

    def flow(self) -> HTTPFlow:
        """The only flow that was written."""
        (flow,) = read_flows(self.folder)
        assert isinstance(flow, HTTPFlow)
        return flow


@pytest.fixture
def tap(run_folder: Path) -> Iterator[Tap]:
    observer, writer = Observer(Watched()), FlowWriter()
    changing = [Intercept(), ModifyHeaders(), StickyCookie()]
    handlers = list(logging.getLogger().handlers)
    with taddons.context(Options(), Save(), SaveHar(), *changing, observer, ViewBounds(), writer) as context:
        yield Tap(context, observer, run_folder)
    context.master.event_loop.close()
    if writer.file.file:
        writer.file.file.close()
    logging.getLogger().handlers[:] = handlers


def test_writes_a_flow_with_its_ends_and_the_times_of_its_frames(tap: Tap) -> None:
    tap.push(
        begin(),
        opened(),
        frame("C", b"POST /a?b HTTP/1.1\r\nHost: shop\r\nContent-Length: 2\r\n\r\n"),
        frame("C", b"hi"),
        frame("S", OK),
    )
    flow = tap.flow()
    request, response = flow.request, flow.response
    assert response
    assert (request.method, request.path, request.host, request.port) == ("POST", "/a?b", "10.0.0.9", 8080)
    assert (request.host_header, request.content, response.status_code, response.content) == ("shop", b"hi", 200, b"ok")
    assert flow.client_conn.peername == ("10.0.0.7", 41234)
    assert flow.client_conn.proxy_mode.full_spec == "reverse:http://10.0.0.9:8080@7777"
    assert flow.client_conn.timestamp_start < request.timestamp_start
    assert request.timestamp_end
    assert request.timestamp_start < request.timestamp_end < response.timestamp_start
    assert flow.timestamp_created == request.timestamp_start


def test_flows_of_a_connection_have_its_state_at_their_end(tap: Tap) -> None:
    tap.show_view()
    tap.watch(frame("C", GET), frame("S", OK), frame("C", GET), frame("S", OK[:-1]))
    first, second = read_flows(tap.folder)
    assert first.client_conn.id == second.client_conn.id
    assert first.server_conn.timestamp_end is None
    assert second.error
    assert second.server_conn.timestamp_end == second.error.timestamp
    copied = tap.view[0].copy()
    assert copied.client_conn.peername == tap.view[0].client_conn.peername
    assert tap.view[0].client_conn.get_state()["peername"] == ("10.0.0.7", 41234)


def test_keeps_a_compressed_body_as_it_was_sent(tap: Tap) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\n"
    tap.watch(frame("C", GET), frame("S", head + b"\x1f\x8b?"))
    response = tap.flow().response
    assert response
    assert response.raw_content == b"\x1f\x8b?"
    assert response.headers["content-encoding"] == "gzip"


def test_what_changes_or_holds_flows_does_not_see_them(tap: Tap) -> None:
    tap.context.options.update(intercept="~all", modify_headers=["/~all/x-changed/yes"], stickycookie="~all")
    tap.watch(frame("C", GET), frame("S", OK))
    flow = tap.flow()
    assert not flow.intercepted
    assert flow.response
    assert "x-changed" not in flow.request.headers
    assert "x-changed" not in flow.response.headers


def test_what_saves_flows_saves_them(tap: Tap) -> None:
    file = tap.folder / "saved.mitm"
    tap.context.options.update(save_stream_file=str(file))
    tap.watch(frame("C", GET), frame("S", OK))
    tap.context.options.update(save_stream_file=None)
    assert file.stat().st_size > 100


def test_shows_a_flow_when_it_begins_and_what_has_come_of_it(tap: Tap) -> None:
    tap.show_view()
    tap.push(begin(), opened(), frame("C", GET))
    (flow,) = tap.view
    assert isinstance(flow, HTTPFlow)
    assert flow.response is None
    tap.push(frame("S", CHUNKED + b"3\r\none\r\n"))
    tap.observer.watched.refresh_view()
    assert flow.response
    assert flow.response.content == b"one"
    updated: list[Flow] = []

    def remember(flow: Flow) -> None:
        updated.append(flow)

    tap.view.sig_view_update.connect(remember)
    tap.observer.watched.refresh_view()
    assert updated == []
    tap.push(frame("S", b"3\r\ntwo\r\n"))
    tap.observer.watched.refresh_view()
    assert updated == [flow]
    assert flow.response.content == b"onetwo"


def test_keeps_what_the_user_has_said(tap: Tap) -> None:
    tap.show_view()
    tap.push(begin(), opened(), frame("C", GET), frame("S", b"HTTP/1.1 103 Early Hints\r\n\r\n"))
    tap.view[0].comment = "look here"
    tap.push(frame("S", OK))
    assert tap.flow().comment == "mittens: answered first by 103 Early Hints\nlook here"


def test_shows_messages_of_a_websocket(tap: Tap) -> None:
    tap.watch(frame("C", SOCKET), frame("S", ACCEPT + b"\x81\x02hi"), frame("S", b"\x88\x02\x03\xe8"))
    websocket = tap.flow().websocket
    assert websocket
    assert [message.text for message in websocket.messages] == ["hi"]
    assert (websocket.closed_by_client, websocket.close_code) == (False, 1000)


def test_shows_the_last_messages_and_every_note(tap: Tap, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "KEPT_MESSAGE_BYTES", 10)
    tap.watch(
        frame("C", GET), frame("S", b"HTTP/1.1 odd\r\n\r\n"), *(frame("S", b"%04d" % count) for count in range(9))
    )
    flow = read_flows(tap.folder)[1]
    assert isinstance(flow, TCPFlow)
    assert flow.messages[-1].content == b"0008"
    assert flow.comment.split("\n") == [
        'mittens: not read as HTTP: Bad HTTP response line: "HTTP/1.1 odd"',
        "mittens: only its last messages",
    ]


def test_shows_what_went_wrong(tap: Tap) -> None:
    tap.watch(frame("C", GET), frame("S", OK[:-1]))
    flow = tap.flow()
    assert flow.error
    assert flow.error.msg.endswith("without sending complete message body (received 1 bytes, expected 2)")
    assert flow.response
    assert flow.response.content == b"o"


def test_ends_flows_whose_addon_raises(tap: Tap, caplog: pytest.LogCaptureFixture) -> None:
    def fail(flow: Flow) -> None:
        raise ValueError("odd")

    tap.observer.watched.hooks.find("requestheaders").insert(0, fail)
    tap.watch(frame("C", GET), frame("S", OK))
    assert tap.flow().error is None
    assert "odd" in caplog.text


def test_counts_the_flows_that_have_ended(tap: Tap) -> None:
    tap.watch(frame("C", GET), frame("S", OK), frame("C", GET), frame("S", OK), frame("C", GET))
    assert tap.observer.watched.ended == 3
    assert tap.observer.watched.open == {}


def test_reads_copies_to_their_end_and_writes_what_is_open(tap: Tap, monkeypatch: pytest.MonkeyPatch) -> None:
    door, copies = socket.socketpair()
    monkeypatch.setenv(contract.COPIES, str(copies.detach()))
    with door:
        door.sendall(begin() + opened() + frame("C", GET))

    async def run() -> None:
        tap.observer.running()
        assert tap.observer.reading
        await asyncio.wait_for(tap.observer.reading, 10)

    tap.context.master.event_loop.run_until_complete(run())
    error = tap.flow().error
    assert error
    assert error.msg == "the capture ended before the connection did"


def test_reads_nothing_without_a_door(tap: Tap) -> None:
    tap.observer.running()
    assert tap.observer.reading is None


def test_says_that_copies_are_broken_and_writes_what_it_has(tap: Tap, caplog: pytest.LogCaptureFixture) -> None:
    door, copies = socket.socketpair()
    with door:
        door.sendall(begin() + opened() + frame("C", GET) + b"what is this, then?")
    tap.context.master.event_loop.run_until_complete(tap.observer.observe(copies))
    assert "the copies can't be read any further: no frame begins here" in caplog.text
    assert tap.flow().error


def test_says_that_not_everything_is_shown(
    tap: Tap, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(limits, "OPEN_BYTES", 20_000)
    door, copies = socket.socketpair()
    with door:
        door.sendall(begin() + b"".join(opened(id) + frame("C", GET, id) for id in range(1, 9)))
    tap.context.master.event_loop.run_until_complete(tap.observer.observe(copies))
    assert caplog.text.count("more is open than is kept in memory") == 1


@pytest.mark.parametrize(("chunk", "slice"), [(64 * 1024, 0.0), (64, 0.001)])
def test_lets_others_work_while_much_passes(
    tap: Tap, monkeypatch: pytest.MonkeyPatch, chunk: int, slice: float
) -> None:
    monkeypatch.setattr("addon.observer.CHUNK", chunk)
    monkeypatch.setattr(limits, "SLICE", slice)
    door, copies = socket.socketpair()
    with door:
        door.sendall(begin() + opened() + (frame("C", GET) + frame("S", OK)) * 200)

    async def run() -> int:
        reading = asyncio.ensure_future(tap.observer.observe(copies))
        turns = 0
        while not reading.done():
            turns += 1
            await asyncio.sleep(0)
        return turns

    assert tap.context.master.event_loop.run_until_complete(run()) >= 10
