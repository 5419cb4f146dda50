"""The option with the ports, and where the app listens."""

import asyncio
import socket
from collections.abc import Awaitable, Callable

import pytest
from addon import contract, tasks
from addon.port import Port
from conftest import Proxy
from mitmproxy import exceptions
from mitmproxy.addons.proxyserver import Proxyserver

RunAsync = Callable[[Callable[[], Awaitable[None]]], None]


def test_ports_are_parsed(proxy: Proxy) -> None:
    proxy.set(mittens_ports="7777=auto:8080,7778=https:8443")
    assert proxy.ports.find(7777) == Port(7777, "auto", 8080)
    assert proxy.ports.find(7778) == Port(7778, "https", 8443)
    assert proxy.ports.find(8080) is None


@pytest.mark.parametrize("text", ["7777=smtp:80", "7777", "=auto:80", "7777=auto:80,", "7777=auto:80 "])
def test_what_is_not_a_list_of_ports_is_refused(proxy: Proxy, text: str) -> None:
    with pytest.raises(exceptions.OptionsError, match="is not LISTEN=PROTOCOL:APPPORT"):
        proxy.set(mittens_ports=text)


@pytest.mark.parametrize(
    ("port", "mode"),
    [
        (Port(7777, "auto", 8080, "localhost"), "reverse:http://localhost:8080@7777"),
        (Port(7777, "https", 8443, "10.0.0.1"), "reverse:https://10.0.0.1:8443@7777"),
        (Port(7777, "tcp", 5432, "fd00::1"), "reverse:http://[fd00::1]:5432@7777"),
    ],
)
def test_mitmproxy_shows_where_a_port_leads(port: Port, mode: str) -> None:
    assert port.mode() == mode


def test_the_app_is_found_on_the_address_of_the_pod_first(
    proxy: Proxy, run_async: RunAsync, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.2", 0)) as app, socket.socket() as local:
        port = Port(7777, "auto", app.getsockname()[1])
        local.bind(("127.0.0.1", port.app))

        async def work() -> None:
            assert not await port.find_app()
            local.listen()
            assert await port.find_app()
            assert port.host == "localhost"
            monkeypatch.setenv(contract.POD_ADDRESS, "127.0.0.2")
            assert await port.find_app()
            assert port.host == "127.0.0.2"

        run_async(work)


def test_it_is_told_once_the_app_listens(proxy: Proxy, run_async: RunAsync) -> None:
    proxy.context.master.addons.add(Proxyserver())
    with socket.socket() as app:
        app.bind(("127.0.0.1", 0))
        number = app.getsockname()[1]
        proxy.set(server=False, mittens_ports=f"7777=auto:{number}")
        found: list[bool] = []
        proxy.ports.when_found(lambda: found.append(True))

        async def work() -> None:
            finding = tasks.start(proxy.ports.find_apps())
            await asyncio.sleep(0.3)
            assert not found
            app.listen()
            await finding

        run_async(work)
        assert found == [True]
        assert proxy.ports.leads_to(("localhost", number))
        assert proxy.context.options.mode == [f"reverse:http://localhost:{number}@7777"]
