"""Headers that are changed."""

import pytest
from conftest import Proxy, make_flow
from mitmproxy.http import Headers


def send(proxy: Proxy, **headers: str) -> Headers:
    flow = make_flow()
    flow.request.headers.clear()
    for name, value in headers.items():
        flow.request.headers[name.replace("_", "-")] = value
    flow.client_conn.tls = False
    proxy.call("requestheaders", flow)
    return flow.request.headers


def test_the_offer_to_go_on_in_h2c_is_removed(proxy: Proxy) -> None:
    headers = send(proxy, connection="Upgrade, HTTP2-Settings, close", upgrade="h2c", http2_settings="AAMAAABk")
    assert dict(headers) == {"connection": "close"}


def test_other_upgrades_stay(proxy: Proxy) -> None:
    assert dict(send(proxy, connection="Upgrade", upgrade="websocket")) == {
        "connection": "Upgrade",
        "upgrade": "websocket",
    }


def test_forwarded_headers_are_added_only_if_asked_for(proxy: Proxy) -> None:
    assert "x-forwarded-for" not in send(proxy)
    proxy.set(mittens_forwarded=True)
    headers = send(proxy)
    assert (headers["x-forwarded-for"], headers["x-forwarded-proto"]) == ("127.0.0.1", "http")


def test_forwarded_headers_of_a_hop_before_stay(proxy: Proxy) -> None:
    proxy.set(mittens_forwarded=True)
    headers = send(proxy, x_forwarded_for="192.0.2.1", x_forwarded_proto="https")
    assert (headers["x-forwarded-for"], headers["x-forwarded-proto"]) == ("192.0.2.1, 127.0.0.1", "https")


@pytest.mark.parametrize("replay", ["request", "response"])
def test_a_replayed_request_gets_no_forwarded_headers(proxy: Proxy, replay: str) -> None:
    proxy.set(mittens_forwarded=True)
    flow = make_flow()
    flow.is_replay = replay
    proxy.call("requestheaders", flow)
    assert "x-forwarded-for" not in flow.request.headers
