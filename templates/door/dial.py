"""The way to the app: the pod's own IP first, then localhost, for an app that listens only there."""

import errno
import socket
from collections.abc import Callable
from functools import partial

from .loop import WRITE, Loop

LOCALHOSTS = ("127.0.0.1", "::1")


class Dialer:
    """Opens connections to one port of the app."""

    def __init__(self, loop: Loop, pod_ips: list[str], port: int) -> None:
        self._loop = loop
        self._hosts = [*pod_ips, *LOCALHOSTS]
        self._port = port

    def dial(self, done: Callable[[socket.socket | None], None]) -> None:
        """Calls `done` with a connected socket, or with None when the app refuses."""
        self._try(list(self._hosts), done)

    def _try(self, hosts: list[str], done: Callable[[socket.socket | None], None]) -> None:
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
                done(sock)
                return
            if code == errno.EINPROGRESS:
                self._loop.watch(sock.fileno(), WRITE, partial(self._connected, sock, hosts, done))
                return
            sock.close()
        done(None)

    def _connected(
        self, sock: socket.socket, hosts: list[str], done: Callable[[socket.socket | None], None], _: int
    ) -> None:
        self._loop.forget(sock.fileno())
        if sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0:
            done(sock)
            return
        sock.close()
        self._try(hosts, done)
