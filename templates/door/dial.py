"""The way to the app: the pod's own IP first, then localhost, for an app that listens only there."""

import errno
import socket
from collections.abc import Callable
from functools import partial

from .copies import Address
from .loop import BROKEN, WRITE, Loop
from .sockets import has_been_connected

LOCALHOSTS = ("127.0.0.1", "::1")

Done = Callable[[socket.socket | None, Address | None], None]


class Dialer:
    """Opens connections to one port of the app."""

    def __init__(self, loop: Loop, pod_ips: list[str], port: int) -> None:
        self._loop = loop
        self._hosts = [*pod_ips, *LOCALHOSTS]
        self._port = port

    def dial(self, done: Done) -> None:
        """Calls `done` with a connected socket and where it leads, or with None twice when the app refuses."""
        self._try(list(self._hosts), done)

    def _try(self, hosts: list[str], done: Done) -> None:
        while hosts:
            host = hosts.pop(0)
            try:
                sock = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
            except OSError:
                # A node without IPv6, or no descriptor left.
                continue
            sock.setblocking(False)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            code = sock.connect_ex((host, self._port))
            if code == 0:
                done(sock, (host, self._port))
                return
            if code == errno.EINPROGRESS:
                self._loop.watch(sock.fileno(), WRITE, partial(self._hear, sock, host, hosts, done))
                return
            sock.close()
        done(None, None)

    def _hear(self, sock: socket.socket, host: str, hosts: list[str], done: Done, events: int) -> None:
        self._loop.forget(sock.fileno())
        # An app that resets what it has just accepted has not refused it. Its error is for whoever reads.
        if not events & BROKEN or has_been_connected(sock):
            done(sock, (host, self._port))
            return
        sock.close()
        self._try(hosts, done)
