"""Which flows are written, when, and how much of them."""

from pathlib import Path

import pytest
from addon import limits
from conftest import Proxy, make_flow, read_flows, read_paths
from mitmproxy.http import HTTPFlow
from mitmproxy.test import tflow


def test_a_flow_is_written_once_although_it_ends_twice(proxy: Proxy, run_folder: Path) -> None:
    flow = make_flow("/once")
    for hook in ("requestheaders", "request", "responseheaders", "response", "error"):
        proxy.call(hook, flow)
    assert read_paths(run_folder) == ["/once"]
    assert proxy.writer.open == {}


def test_bodies_are_cut_in_the_file_alone(proxy: Proxy, run_folder: Path) -> None:
    proxy.set(mittens_body_limit=10)
    flow = make_flow("/wanted", b"x" * 100)
    flow.backup()
    proxy.call("requestheaders", flow)
    proxy.call("response", flow)
    [written] = read_flows(run_folder)
    assert isinstance(written, HTTPFlow)
    assert written.response
    assert written.response.content == b"x" * 10
    assert written.comment == "mittens: cut to 10 bytes, the longest from 100"
    assert not written.modified()
    assert flow.response
    assert flow.response.content == b"x" * 100
    assert flow.comment == ""


def test_messages_of_a_websocket_are_cut_in_the_file_alone(proxy: Proxy, run_folder: Path) -> None:
    proxy.set(mittens_body_limit=10)
    flow = tflow.twebsocketflow()
    assert flow.websocket
    flow.websocket.messages[0].content = b"m" * 50
    proxy.call("requestheaders", flow)
    # The response to the upgrade is not the end.
    proxy.call("response", flow)
    assert flow.id in proxy.writer.open
    proxy.call("websocket_end", flow)
    [written] = read_flows(run_folder)
    assert isinstance(written, HTTPFlow)
    assert written.websocket
    assert written.websocket.messages[0].content == b"m" * 10
    assert flow.websocket.messages[0].content == b"m" * 50


def test_messages_of_tcp_are_cut(proxy: Proxy, run_folder: Path) -> None:
    proxy.set(mittens_body_limit=3)
    flow = tflow.ttcpflow()
    proxy.call("tcp_start", flow)
    proxy.call("tcp_end", flow)
    [written] = read_flows(run_folder)
    assert [len(message.content) for message in written.messages] == [3, 3]  # type: ignore[attr-defined]
    assert written.comment == "mittens: cut to 3 bytes, the longest from 7"


def test_what_is_still_open_at_the_end_of_the_pod_is_written_once(proxy: Proxy, run_folder: Path) -> None:
    streaming = make_flow("/streaming")
    asked = tflow.tflow()
    for flow in (streaming, asked):
        proxy.call("requestheaders", flow)
    proxy.departure.write_open_flows()
    # What has no response yet is not written before its end.
    assert read_paths(run_folder) == ["/streaming"]
    proxy.call("error", streaming)
    proxy.call("error", asked)
    assert read_paths(run_folder) == ["/streaming", "/path"]


def test_a_stream_that_is_still_open_is_written_with_what_has_passed(proxy: Proxy, run_folder: Path) -> None:
    flow = make_flow("/events")
    assert flow.response
    flow.response.headers["content-type"] = "text/event-stream"
    proxy.call("requestheaders", flow)
    proxy.call("responseheaders", flow)
    assert callable(flow.response.stream)
    flow.response.stream(b"data: 1\n\n")
    proxy.departure.write_open_flows()
    [written] = read_flows(run_folder)
    assert isinstance(written, HTTPFlow)
    assert written.response
    assert written.response.content == b"data: 1\n\n"


def test_a_long_connection_keeps_its_last_messages_until_it_is_written(
    proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "KEPT_MESSAGE_BYTES", 100)
    flow = tflow.ttcpflow(messages=[])
    for n in range(30):
        flow.messages.append(tflow.ttcpflow().messages[0])
        flow.messages[-1].content = b"%010d" % n
        proxy.call("tcp_message", flow)
    assert sum(len(message.content) for message in flow.messages) <= 100
    assert flow.messages[-1].content == b"0000000029"
    assert flow.comment == "mittens: only its last messages"
    proxy.call("tcp_end", flow)
    assert proxy.bounds.message_bytes == {}
