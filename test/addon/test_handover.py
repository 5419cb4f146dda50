"""Connections that the door hands to mitmproxy: a real mitmdump, with the test in the door's place."""

import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from addon import contract

SCRIPT = Path(contract.__file__).with_name("script.py")


class App(BaseHTTPRequestHandler):
    """Answers with what it was asked for."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        body = f"{self.path} {self.headers.get('x-added')}".encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        pass


class Door:
    """The door's end of the control socket, and its listener."""

    def __init__(self, control: socket.socket, listener: socket.socket) -> None:
        self.control = control
        self.listener = listener

    def hear(self, key: str) -> dict[str, Any]:
        """The next message with this key."""
        while True:
            message: dict[str, Any] = json.loads(self.control.recv(64 * 1024))
            if key in message:
                return message

    def connect(self) -> tuple[socket.socket, socket.socket, list[Any]]:
        """A client, the socket that was accepted for it, and the client's address."""
        client = socket.create_connection(self.listener.getsockname(), timeout=30)
        accepted, address = self.listener.accept()
        return client, accepted, list(address)

    def hand_over(self, accepted: socket.socket, address: list[Any], sent: bytes, within: float = 30) -> None:
        listen = self.listener.getsockname()[1]
        message = {"take": 5, "client": address, "listen": listen, "deadline": time.monotonic() + within}
        socket.send_fds(self.control, [json.dumps(message).encode() + b"\n" + sent], [accepted.fileno()])
        accepted.close()


@pytest.fixture
def app() -> Iterator[int]:
    with ThreadingHTTPServer(("127.0.0.1", 0), App) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


@pytest.fixture
def door(app: int, tmp_path: Path) -> Iterator[Door]:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    ours.settimeout(60)
    with ours, socket.create_server(("127.0.0.1", 0)) as listener:
        options = [
            f"confdir={tmp_path}",
            "server=false",
            f"{contract.PORTS_OPTION}={listener.getsockname()[1]}=auto:{app}",
            "modify_headers=/~q/x-added/by-mitmproxy",
        ]
        program = "from mitmproxy.tools.main import mitmdump; mitmdump()"
        arguments = [part for option in options for part in ("--set", option)]
        child = subprocess.Popen(
            [sys.executable, "-c", program, "--scripts", str(SCRIPT), *arguments],
            env={**os.environ, contract.CONTROL: str(theirs.fileno()), "PYTHONDONTWRITEBYTECODE": "1"},
            pass_fds=[theirs.fileno()],
            stdout=subprocess.DEVNULL,
        )
        theirs.close()
        try:
            yield Door(ours, listener)
        finally:
            child.kill()
            child.wait()


def ask(client: socket.socket, path: str) -> bytes:
    client.sendall(f"GET {path} HTTP/1.1\r\nhost: app\r\n\r\n".encode())
    return answer(client)


def answer(client: socket.socket) -> bytes:
    data = b""
    while b"by-mitmproxy" not in data:
        piece = client.recv(4096)
        assert piece, data
        data += piece
    return data


def test_mitmproxy_serves_a_connection_from_where_its_client_is(door: Door) -> None:
    assert door.hear("lane") == {"lane": "change"}
    client, accepted, address = door.connect()
    with client:
        client.sendall(b"GET /first HTTP/1.1\r\nho")
        door.hand_over(accepted, address, accepted.recv(4096))
        assert door.hear("took") == {"took": 5}
        client.sendall(b"st: app\r\n\r\n")
        assert b"/first by-mitmproxy" in answer(client)
        assert b"/second by-mitmproxy" in ask(client, "/second")
    assert door.hear("end") == {"end": 5}


def test_a_connection_is_refused_when_it_is_late(door: Door) -> None:
    door.hear("lane")
    client, accepted, address = door.connect()
    with client:
        door.hand_over(accepted, address, b"", within=-1)
        assert door.hear("refused") == {"refused": 5}
        assert client.recv(1) == b""
