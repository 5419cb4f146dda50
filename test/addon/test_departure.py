"""How the proxy ends."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from addon import contract, limits
from addon.client import Client
from conftest import Proxy, make_flow, read_paths
from mitmproxy.io import tnetstring
from mitmproxy.test import tflow

RunAsync = Callable[[Callable[[], Awaitable[None]]], None]


class FakeClient(Client):
    """A connected client whose connection closes when it is told to."""

    def __init__(self, proxy: Proxy, id: str) -> None:
        super().__init__(None)  # type: ignore[arg-type]
        self.proxy = proxy
        self.id = id
        proxy.connections.clients[id] = self

    async def tell_to_leave(self) -> None:
        self.is_told = True

    def close(self, connection: Any = None) -> None:
        self.proxy.connections.clients.pop(self.id, None)


@pytest.fixture
def ended(proxy: Proxy, monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Gets an entry when mitmproxy is told to end."""
    calls: list[bool] = []
    monkeypatch.setattr(type(proxy.context.master), "shutdown", lambda _: calls.append(True))
    return calls


def is_end_written() -> bool:
    data = Path(contract.FLOWS).read_bytes()
    end = tnetstring.dumps({"mittens": "end", "written": 0, "dropped": 0, "unread": 0})
    return data.endswith(end)


def test_the_door_says_when_to_leave(proxy: Proxy, run_async: RunAsync, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "TURN", 0)

    async def work() -> None:
        proxy.control.running()
        client = FakeClient(proxy, "one")
        proxy.door.send(b'{"leave": true}')
        while not client.is_told:
            await asyncio.sleep(0.01)
        proxy.door.send(b'{"drain": true}')
        while not proxy.departure.draining:
            await asyncio.sleep(0.01)
        client.close()

    run_async(work)


def test_leaving_tells_clients_and_closes_those_that_are_idle(
    proxy: Proxy, run_async: RunAsync, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "TURN", 0)
    monkeypatch.setattr(limits, "IDLE", 0)

    async def work() -> None:
        flow = make_flow("/busy")
        proxy.call("requestheaders", flow)
        idle, busy = FakeClient(proxy, "idle"), FakeClient(proxy, flow.client_conn.id)
        leaving = asyncio.ensure_future(proxy.departure.leave())
        while "idle" in proxy.connections.clients:
            await asyncio.sleep(0.01)
        assert idle.is_told
        assert busy.is_told
        assert busy.id in proxy.connections.clients
        proxy.call("response", flow)
        await leaving
        assert not proxy.connections.clients

    run_async(work)


def test_what_does_not_end_is_written_once_before_it_is_cut_off(
    proxy: Proxy, run_folder: Path, run_async: RunAsync, ended: list[bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "TURN", 0)
    monkeypatch.setattr(limits, "LEAVE", 0.5)

    async def work() -> None:
        flow = make_flow("/endless")
        proxy.call("requestheaders", flow)
        FakeClient(proxy, flow.client_conn.id)
        await proxy.departure.leave()
        await proxy.departure.finish()
        assert not proxy.connections.clients
        proxy.call("error", flow)

    run_async(work)
    assert ended == [True]
    data = Path(contract.FLOWS).read_bytes()
    end = tnetstring.dumps({"mittens": "end", "written": 1, "dropped": 0, "unread": 0})
    assert data.endswith(end)
    Path(contract.FLOWS).write_bytes(data[: -len(end)])
    assert read_paths(run_folder) == ["/endless"]


def test_a_pod_that_ends_has_its_open_flows_written(
    proxy: Proxy, run_folder: Path, run_async: RunAsync, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "LINGER", 0)

    async def work() -> None:
        proxy.call("requestheaders", make_flow("/slow"))
        await proxy.departure.drain()

    run_async(work)
    assert read_paths(run_folder) == ["/slow"]


def test_the_end_says_how_much_was_not_read(proxy: Proxy, run_async: RunAsync, ended: list[bool]) -> None:
    for skipped in (5, 1_000_000):
        counts = {"lane": "watch", "failed_open": 0, "skipped_bytes": skipped, "restarts": 0}
        proxy.door.send(json.dumps({"counts": counts}).encode())
    run_async(proxy.departure.finish)
    assert ended == [True]
    end: Any = tnetstring.loads(Path(contract.FLOWS).read_bytes())
    assert end["unread"] == 1_000_000


def test_the_end_waits_for_followers_but_not_for_ever(
    proxy: Proxy, run_async: RunAsync, ended: list[bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    Path(contract.FOLLOWERS).mkdir()
    entry = Path(contract.FOLLOWERS) / "one"
    entry.touch()

    async def work() -> None:
        finishing = asyncio.ensure_future(proxy.departure.finish())
        await asyncio.sleep(0.5)
        assert ended == []
        assert is_end_written()
        entry.unlink()
        await finishing
        assert ended == [True]
        entry.touch()
        monkeypatch.setattr(limits, "FOLLOWERS_TIME", 0.3)
        await proxy.departure.finish()

    run_async(work)
    assert ended == [True, True]


@pytest.mark.parametrize("state", ["draining", "leaving"])
def test_clients_of_http1_are_asked_to_leave_with_their_response(proxy: Proxy, state: str) -> None:
    flow = make_flow()
    assert flow.response
    proxy.call("responseheaders", flow)
    assert "connection" not in flow.response.headers
    setattr(proxy.departure, state, True)
    proxy.call("responseheaders", flow)
    assert flow.response.headers["connection"] == "close"


def test_upgrades_and_http2_keep_their_headers_while_the_proxy_leaves(proxy: Proxy) -> None:
    proxy.departure.leaving = True
    upgraded, modern = make_flow(), make_flow()
    assert upgraded.response
    assert modern.response
    upgraded.response.status_code = 101
    modern.request.http_version = "HTTP/2.0"
    for flow in (upgraded, modern, tflow.twebsocketflow()):
        before = flow.response and flow.response.headers.copy()
        proxy.call("response", flow)
        assert flow.response
        assert flow.response.headers == before
