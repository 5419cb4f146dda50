"""A door between a client and an app that a test plays itself, and what the door's wire file says of it."""

import contextlib
import json
import os
import re
import shutil
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

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
    folder: Path
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
        return list(read_frames((self.folder / "wire").read_bytes()))

    def counts(self) -> dict[str, Any]:
        """What the door tells of itself now."""
        file = self.folder / "counts"
        return dict(json.loads(file.read_text())) if file.exists() else {}

    def wait_for_counts(self, **expected: object) -> None:
        wait_for(self.counts, lambda counts: counts.items() >= expected.items())

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


def unpack(folder: Path, **limits: float) -> None:
    """Puts the packages into a folder, and their paths, with other limits: of addon/limits.py, or of door/child.py."""
    for package in ("addon", "door"):
        shutil.copytree(TEMPLATES / package, folder / package)
    contract = folder / "addon" / "contract.json"
    contract.write_text(contract.read_text().replace('"/tmp/mittens.', f'"{folder}/'))
    files = [folder / "addon" / "limits.py", folder / "door" / "child.py"]
    for name, value in limits.items():
        line = re.compile(rf"(?m)^{name} = .*$")
        file = next(file for file in files if line.search(file.read_text()))
        file.write_text(line.sub(f"{name} = {value}", file.read_text()))


def start(folder: Path, listen_port: int, app_port: int, *flags: str, **limits: float) -> "subprocess.Popen[str]":
    """Starts a door whose files are in a folder: ready, wire, counts, followers."""
    unpack(folder, **limits)
    command = [sys.executable, "-m", "door", f"--ports={listen_port}=auto:{app_port}", *flags]
    env = {**os.environ, "MITTENS_POD_IP": "127.0.0.2"}
    return subprocess.Popen(command, cwd=folder, env=env, stderr=subprocess.PIPE, text=True)


@contextlib.contextmanager
def door_to(app: socket.socket, folder: Path, *flags: str, is_open: bool = True, **limits: float) -> Iterator[Door]:
    """A door that is open, unless that is to be waited for by the test, and writes a wire file."""
    port = free_port()
    process = start(folder, port, app.getsockname()[1], f"--wire={folder / 'wire'}", *flags, **limits)
    door = Door(port, process, folder, app)
    try:
        if is_open:
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


def sent(frames: list[Frame], kind: str) -> bytes:
    """All bytes that frames of this kind carry."""
    return b"".join(frame.payload for frame in frames if frame.kind == kind)


def opened(frames: list[Frame]) -> dict[str, Any]:
    """What the wire says of the first connection."""
    return dict(json.loads(next(frame.payload for frame in frames if frame.kind == "O")))
