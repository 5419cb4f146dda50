"""Which layers a connection gets."""

import pytest
from addon import limits
from addon.entrance import Choice, Entrance, Leave
from addon.speech import Speech
from conftest import Proxy
from door.http2 import GOAWAY
from door.speech import PREFACE
from mitmproxy.connection import ConnectionState
from mitmproxy.proxy import commands, events, layers
from mitmproxy.proxy.context import Context
from mitmproxy.test import tflow

HELLO = b"\x16\x03\x01"
REQUEST = b"GET / HTTP/1.1\r\nHost: app\r\n\r\n"


def make_context(proxy: Proxy) -> Context:
    client = tflow.tclient_conn()
    client.state = ConnectionState.OPEN
    client.alpn = None
    client.tls = False
    context = Context(client, proxy.context.options)
    context.server.address = ("localhost", 8080)
    return context


def enter(proxy: Proxy, protocol: str) -> Entrance:
    entrance = Entrance(make_context(proxy), protocol)
    send(entrance, events.Start())
    return entrance


def send(entrance: Entrance, event: events.Event) -> list[commands.Command]:
    return list(entrance.handle_event(event))


def say(entrance: Entrance, data: bytes) -> list[commands.Command]:
    return send(entrance, events.DataReceived(entrance.context.client, data))


@pytest.fixture(autouse=True)
def proxyserver(proxy: Proxy) -> None:
    """mitmproxy's layers ask for options of this addon."""
    from mitmproxy.addons.proxyserver import Proxyserver

    proxy.context.master.addons.add(Proxyserver())


@pytest.mark.parametrize(
    ("protocol", "speech", "choice"),
    [
        ("auto", "tls", "tcp"),
        ("auto", "http1", "http"),
        ("auto", "http2", "http2"),
        ("auto", "other", "tcp"),
        ("auto", None, None),
        ("http", "tls", "tls"),
        ("http", "other", "http"),
        ("https", "http1", "http"),
        ("h2c", "http2", "http2"),
        ("tcp", None, "tcp"),
        ("tcp", "http1", "tcp"),
    ],
)
def test_the_declared_protocol_and_the_first_bytes_choose_the_layers(
    proxy: Proxy, protocol: str, speech: Speech | None, choice: Choice | None
) -> None:
    assert Entrance(make_context(proxy), protocol).choose(speech) == choice


def test_tls_is_ended_only_with_a_certificate_of_the_app(proxy: Proxy) -> None:
    entrance = Entrance(make_context(proxy), "auto")
    proxy.set(certs=["*=/tmp/cert.pem"])
    assert entrance.choose("tls") == "tls"
    assert Entrance(make_context(proxy), "auto", in_tls=True).choose("tls") == "tcp"


def test_http2_in_tls_that_was_not_negotiated_passes_as_bytes(proxy: Proxy) -> None:
    assert Entrance(make_context(proxy), "auto", in_tls=True).choose("http2") == "tcp"


def test_a_request_is_held_back_until_it_is_recognized(proxy: Proxy) -> None:
    entrance = enter(proxy, "auto")
    assert say(entrance, REQUEST[:5]) == []
    assert entrance.next is None
    say(entrance, REQUEST[5:])
    assert isinstance(entrance.next, layers.HttpLayer)
    assert entrance.held == []


def test_http2_without_tls_is_spoken_to_the_app_as_well(proxy: Proxy) -> None:
    entrance = enter(proxy, "auto")
    say(entrance, PREFACE)
    assert isinstance(entrance.next, layers.HttpLayer)
    assert entrance.context.client.alpn == b"h2"


def test_a_client_that_is_silent_lets_the_app_speak(proxy: Proxy) -> None:
    entrance = Entrance(make_context(proxy), "auto")
    [timer] = send(entrance, events.Start())
    assert isinstance(timer, commands.RequestWakeup)
    assert timer.delay == limits.SILENCE["auto"]
    [opening] = send(entrance, events.Wakeup(timer))
    assert isinstance(opening, commands.OpenConnection)
    server = entrance.context.server
    server.state = ConnectionState.OPEN
    send(entrance, events.OpenConnectionCompleted(opening, None))
    send(entrance, events.DataReceived(server, b"220 hello\r\n"))
    assert isinstance(entrance.next, layers.TCPLayer)


def test_an_app_that_greets_in_http2_does_not_decide_for_its_client(proxy: Proxy) -> None:
    entrance = enter(proxy, "auto")
    server = entrance.context.server
    server.state = ConnectionState.OPEN
    send(entrance, events.DataReceived(server, bytes.fromhex("000000040000000000")))
    assert entrance.next is None
    closing = say(entrance, PREFACE)
    # mitmproxy's layer needs a connection of its own.
    assert any(isinstance(command, commands.CloseConnection) and command.connection is server for command in closing)
    assert entrance.context.server is not server
    assert isinstance(entrance.next, layers.HttpLayer)


def test_a_port_for_http_waits_for_its_client(proxy: Proxy) -> None:
    assert send(Entrance(make_context(proxy), "http"), events.Start()) == []


def test_a_probe_that_closes_without_a_word_is_not_passed_on(proxy: Proxy) -> None:
    entrance = enter(proxy, "auto")
    [closing] = send(entrance, events.ConnectionClosed(entrance.context.client))
    assert isinstance(closing, commands.CloseConnection)
    assert entrance.next is None


def test_a_client_of_http2_is_told_to_leave_and_others_are_not(proxy: Proxy) -> None:
    entrance = enter(proxy, "auto")
    say(entrance, PREFACE)
    [told] = send(entrance, Leave())
    assert isinstance(told, commands.SendData)
    assert told.data == GOAWAY
    plain = enter(proxy, "auto")
    say(plain, REQUEST[:3])
    assert send(plain, Leave()) == []
