"""What the TUI and mitmweb keep."""

import pytest
from addon import limits
from conftest import FakeView, Proxy, make_flow
from mitmproxy.test import tflow


@pytest.fixture
def view(proxy: Proxy) -> FakeView:
    view = FakeView()
    proxy.show_to(view)
    return view


def test_the_oldest_flows_leave_the_view(proxy: Proxy, view: FakeView, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "KEPT_FLOWS", 3)
    flows = [make_flow(f"/{n}") for n in range(5)]
    for flow in flows:
        proxy.call("response", flow)
        proxy.call("error", flow)
    assert view.removed == [flow.id for flow in flows[:2]]


def test_large_flows_leave_the_view_but_the_last_one_stays(
    proxy: Proxy, view: FakeView, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "KEPT_BYTES", 100)
    flows = [make_flow(f"/{n}", b"x" * 200) for n in range(2)]
    for flow in flows:
        proxy.call("response", flow)
    assert view.removed == [flows[0].id]


def test_marked_and_intercepted_flows_stay_in_the_view(
    proxy: Proxy, view: FakeView, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "KEPT_FLOWS", 1)
    marked, held, plain, last = (make_flow(f"/{n}") for n in range(4))
    marked.marked = ":red_circle:"
    held.intercepted = True
    for flow in (marked, held, plain, last):
        proxy.call("response", flow)
    assert view.removed == [plain.id]


def test_a_long_connection_keeps_its_last_messages_in_the_view(
    proxy: Proxy, view: FakeView, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "KEPT_MESSAGES", 10)
    flow = tflow.ttcpflow(messages=[])
    for n in range(25):
        flow.messages.append(tflow.ttcpflow().messages[0])
        flow.messages[-1].content = b"%d" % n
        proxy.call("tcp_message", flow)
    assert len(flow.messages) <= 10
    assert flow.messages[-1].content == b"24"


def test_without_a_view_no_flow_is_remembered(proxy: Proxy) -> None:
    proxy.call("response", make_flow())
    assert len(proxy.bounds.kept) == 0
