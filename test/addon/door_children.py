"""The child of a door, as a test plays it: it has the sockets that a process of the door's has inherited."""

import contextlib
import json
import os
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from doors import PATIENCE, Door, Frame, door_to, listen, read_frames, wait_for

SCRIPT = Path(__file__).with_name("door_child.py")


@dataclass
class Take:
    """A client that the door hands over."""

    message: dict[str, Any]
    client: socket.socket
    data: bytes


class Child:
    """Reads what the door says, and answers its pings."""

    def __init__(self, line: socket.socket) -> None:
        text, descriptors, _, _ = socket.recv_fds(line, 65536, 2)
        self._line = line
        self.about: dict[str, Any] = json.loads(text)
        self.copies, self.control = (socket.socket(fileno=descriptor) for descriptor in descriptors)
        self.answers_pings = True
        # Whether the door has closed the copies.
        self.is_at_end = False
        self.messages: list[dict[str, Any]] = []
        self.takes: list[Take] = []
        self._copied = b""
        self._reads = threading.Event()
        self._reads.set()
        for work in (self._read_copies, self._read_control):
            threading.Thread(target=work, daemon=True).start()

    def say(self, **message: object) -> None:
        self.control.send(json.dumps(message).encode())

    def frames(self) -> list[Frame]:
        return list(read_frames(self._copied))

    def kinds(self) -> str:
        """The kinds of all frames, in order."""
        return "".join(frame.kind for frame in self.frames())

    def wait_for_kinds(self, expected: str) -> list[Frame]:
        wait_for(self.kinds, lambda kinds: kinds == expected)
        return self.frames()

    def wait_for_message(self, key: str) -> dict[str, Any]:
        found = wait_for(lambda: [message for message in self.messages if key in message], bool)
        return found[0]

    def wait_for_take(self, number: int = 0) -> Take:
        return wait_for(lambda: self.takes, lambda takes: len(takes) > number)[number]

    def stop_reading(self) -> None:
        """Reads no more copies than it just does."""
        self._reads.clear()

    def read_on(self) -> None:
        self._reads.set()

    def exit(self, code: int) -> None:
        """Ends the process."""
        self._line.send(str(code).encode())

    def kill(self) -> None:
        """Ends the process at once, and waits until the door has noticed."""
        os.kill(self.about["pid"], signal.SIGKILL)
        wait_for(Path(f"/proc/{self.about['pid']}").exists, lambda exists: not exists)

    def close(self) -> None:
        for take in self.takes:
            take.client.close()
        for sock in (self._line, self.copies, self.control):
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
            sock.close()

    def _read_copies(self) -> None:
        with contextlib.suppress(OSError):
            while data := self.copies.recv(1 << 16):
                self._copied += data
                self._reads.wait()
            self.is_at_end = True

    def _read_control(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                data, descriptors, _, _ = socket.recv_fds(self.control, 128 * 1024, 1)
                if not data:
                    return
                self._hear(data, descriptors)

    def _hear(self, data: bytes, descriptors: list[int]) -> None:
        text, _, rest = data.partition(b"\n")
        message = json.loads(text)
        if "ping" in message and self.answers_pings:
            self.say(pong=message["ping"])
        for descriptor in descriptors:
            self.takes.append(Take(message, socket.socket(fileno=descriptor), rest))
        self.messages.append(message)


@dataclass
class Kept:
    """A door with a child, and the app behind it."""

    door: Door
    _server: socket.socket
    _children: list[Child]

    def child(self, lane: str | None = None) -> Child:
        """The next child that the door starts. It says its lane at once, if there is one."""
        line, _ = self._server.accept()
        line.settimeout(None)
        child = Child(line)
        self._children.append(child)
        if lane:
            child.say(lane=lane)
            self.door.wait_for_counts(child="running", lane=lane)
        return child


@contextlib.contextmanager
def kept_door(folder: Path, *flags: str, is_open: bool = True, **limits: float) -> Iterator[Kept]:
    """A door that starts a child, which the test plays."""
    with socket.socket(socket.AF_UNIX) as server, listen() as app:
        server.bind(str(folder / "child"))
        server.listen()
        server.settimeout(PATIENCE)
        command = ["--", sys.executable, str(SCRIPT), str(folder / "child")]
        children: list[Child] = []
        with door_to(app, folder, *flags, *command, is_open=is_open, **limits) as door:
            try:
                yield Kept(door, server, children)
            finally:
                # A child that nobody has met yet ends, too.
                server.close()
                for child in children:
                    child.close()
