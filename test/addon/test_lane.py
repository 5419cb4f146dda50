"""Which options need mitmproxy to serve connections."""

from typing import Any

import pytest
from addon.lane import Lanes, changes_traffic
from addon.port import Port
from conftest import Proxy
from mitmproxy.addonmanager import Loader
from mitmproxy.addons import default_addons
from mitmproxy.addons.intercept import Intercept
from mitmproxy.addons.view import View
from mitmproxy.test import taddons
from mitmproxy.tools.web.webaddons import WebAddon


@pytest.fixture
def all_options(proxy: Proxy) -> taddons.context:
    """A mitmproxy with all options of its own addons."""
    loader = Loader(proxy.context.master)
    # They only declare them, and so need no files and servers.
    for addon in [*default_addons(), Intercept(), View(), WebAddon()]:
        getattr(addon, "load", lambda _: None)(loader)
    return proxy.context


@pytest.fixture
def lanes(proxy: Proxy) -> Lanes:
    return Lanes(proxy.control, proxy.ports)


@pytest.mark.parametrize(
    "changed",
    [
        {},
        {"view_filter": "~m POST"},
        {"showhost": True},
        {"web_port": 7790},
        {"keep_host_header": True, "ssl_insecure": True, "stream_large_bodies": "5m"},
        {"intercept": "~m POST", "intercept_active": False},
        {"mittens_body_limit": 100},
        {"scripts": ["addon/script.py"]},
    ],
)
def test_looking_needs_no_proxy(all_options: taddons.context, proxy: Proxy, changed: dict[str, Any]) -> None:
    all_options.options.update(**changed)
    assert not changes_traffic(proxy.ports)


@pytest.mark.parametrize(
    "changed",
    [
        {"intercept": "~m POST", "intercept_active": True},
        {"modify_headers": ["/~q/a/b"]},
        {"modify_body": ["/~q/a/b"]},
        {"map_remote": ["|a|b"]},
        {"map_local": ["|a|b"]},
        {"block_list": ["/a/404"]},
        {"server_replay": ["a.mitm"]},
        {"certs": ["*=/tmp/mittens.tls.pem"]},
        {"client_certs": "/dev/null"},
        {"anticache": True},
        {"stickycookie": "."},
        {"body_size_limit": "1k"},
        {"mittens_forwarded": True},
        {"scripts": ["addon/script.py", "mine.py"]},
        {"http2": False},
    ],
)
def test_changing_needs_one(all_options: taddons.context, proxy: Proxy, changed: dict[str, Any]) -> None:
    all_options.options.update(**changed)
    assert changes_traffic(proxy.ports)


def test_so_does_the_end_of_tls(all_options: taddons.context, proxy: Proxy) -> None:
    proxy.ports.by_number = {7777: Port(7777, "https", 8443)}
    assert changes_traffic(proxy.ports)


def test_the_door_is_told_each_change_once(all_options: taddons.context, proxy: Proxy, lanes: Lanes) -> None:
    lanes.configure(set())
    lanes.tell()
    all_options.options.update(modify_headers=["/~q/a/b"])
    lanes.configure({"modify_headers"})
    lanes.configure({"view_filter"})
    all_options.options.update(modify_headers=[])
    lanes.configure({"modify_headers"})
    assert [proxy.hear() for _ in range(3)] == [{"lane": "watch"}, {"lane": "change"}, {"lane": "watch"}]
