"""A door between a client and an app that a test plays itself, and what the door's wire file says of it."""

import contextlib
import json
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

TEMPLATES = Path(__file__).parents[2] / "templates"
# A test that waits longer has failed, in s.
PATIENCE = 20.0
T = TypeVar("T")
HEAD = struct.Struct(">cIQI")


@dataclass
class Frame:
    kind: str
    connection: int
    time: int
    payload: bytes


@dataclass
class Door:
    port: int
    process: "subprocess.Popen[str]"
    wire: Path
    app: socket.socket
    taken: list[socket.socket] = field(default_factory=list)

    def connect(self) -> socket.socket:
        client = socket.create_connection(("127.0.0.1", self.port), PATIENCE)
        self.taken.append(client)
        return client

    def accept(self) -> socket.socket:
        """The app's side of the next connection."""
        served, _ = self.app.accept()
        served.settimeout(PATIENCE)
        self.taken.append(served)
        return served

    def pair(self) -> tuple[socket.socket, socket.socket]:
        """A client, and the app's side of it."""
        client = self.connect()
        return client, self.accept()

    def leave(self, number: int) -> int:
        """Sends a signal, and waits for the end. @returns the exit code."""
        self.process.send_signal(number)
        return self.process.wait(PATIENCE)

    def frames(self) -> list[Frame]:
        """What stands in the wire file now."""
        return list(read_frames(self.wire.read_bytes()))

    def wait_for(self, enough: Callable[[list[Frame]], bool]) -> list[Frame]:
        return wait_for(self.frames, enough)


def read_frames(data: bytes) -> Iterator[Frame]:
    at = 0
    while at + HEAD.size <= len(data):
        kind, connection, when, length = HEAD.unpack_from(data, at)
        at += HEAD.size
        yield Frame(kind.decode(), connection, when, data[at : at + length])
        at += length


def wait_for(read: Callable[[], T], enough: Callable[[T], bool]) -> T:
    deadline = time.monotonic() + PATIENCE
    while not enough(value := read()):
        assert time.monotonic() < deadline, f"still {value!r}"
        time.sleep(0.01)
    return value


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def listen(host: str = "127.0.0.1", port: int = 0) -> socket.socket:
    server = socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    server.settimeout(PATIENCE)
    return server


def start(folder: Path, listen_port: int, app_port: int, *flags: str) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "door", f"--port={listen_port}={app_port}", "--pod-ip=127.0.0.2"]
    files = [f"--wire={folder / 'wire'}", f"--ready={folder / 'ready'}"]
    return subprocess.Popen([*command, *files, *flags], cwd=TEMPLATES, stderr=subprocess.PIPE, text=True)


@contextlib.contextmanager
def door_to(app: socket.socket, folder: Path, *flags: str) -> Iterator[Door]:
    """A door that is open."""
    port = free_port()
    process = start(folder, port, app.getsockname()[1], *flags)
    door = Door(port, process, folder / "wire", app)
    try:
        wait_for((folder / "ready").exists, bool)
        yield door
    finally:
        for sock in door.taken:
            sock.close()
        process.kill()
        process.communicate()


def receive(sock: socket.socket, length: int) -> bytes:
    """Reads so many bytes, or up to the end."""
    data = b""
    while len(data) < length and (piece := sock.recv(min(1 << 20, length - len(data)))):
        data += piece
    return data


def opened(frames: list[Frame]) -> dict[str, object]:
    """What the wire says of the first connection."""
    return dict(json.loads(next(frame.payload for frame in frames if frame.kind == "O")))
