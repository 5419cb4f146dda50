"""A port of the door, which is taken at once and opened later."""

import errno
import socket
from collections.abc import Callable

from .loop import READ, Loop

BACKLOG = 4096
# So many clients are taken in one go before others have their turn.
ACCEPTS = 64
# How long to wait when there is no descriptor or no memory for one more connection, in s.
EXHAUSTED = 0.1
NO_ROOM = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)

Serve = Callable[[socket.socket, tuple[str, int]], None]


class Port:
    """Listens on one port, and gives away each client with its address."""

    def __init__(self, loop: Loop, number: int, serve: Serve) -> None:
        """@raises OSError when somebody has the port."""
        self._loop = loop
        self._serve = serve
        self.number = number
        self._is_open = False
        self._sock = bind(number)

    def open(self) -> None:
        """Takes clients from now on. @raises OSError when somebody else listens there by now."""
        self._sock.listen(BACKLOG)
        self._is_open = True
        self._loop.watch(self._sock.fileno(), READ, self._accept)

    def close(self) -> None:
        """Takes no more clients; those that are connected go on."""
        if self._is_open:
            self._is_open = False
            self._loop.forget(self._sock.fileno())
        self._sock.close()

    def _accept(self, _: int) -> None:
        for _ in range(ACCEPTS):
            try:
                client, address = self._sock.accept()
            except OSError as error:
                if error.errno in NO_ROOM:
                    self._pause()
                return
            client.setblocking(False)
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._serve(client, plain(address))

    def _pause(self) -> None:
        self._loop.forget(self._sock.fileno())
        self._is_open = False
        self._loop.after(EXHAUSTED, self._resume)

    def _resume(self) -> None:
        if self._sock.fileno() >= 0:
            self._is_open = True
            self._loop.watch(self._sock.fileno(), READ, self._accept)


def bind(number: int) -> socket.socket:
    """Takes a port, of both families where there are both, without listening yet: clients are refused."""
    try:
        sock = socket.socket(socket.AF_INET6, socket.SOCK_STREAM)
        host = "::"
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    except OSError:
        sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        host = "0.0.0.0"
    # A connection of an earlier proxy's that the kernel still remembers is in nobody's way.
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.setblocking(False)
    try:
        sock.bind((host, number))
    except OSError:
        sock.close()
        raise
    return sock


def plain(address: tuple[str, int]) -> tuple[str, int]:
    """An address as people write it: an IPv4 client of a socket for both families looks like ::ffff:10.0.0.7."""
    host, port = address[:2]
    return host.removeprefix("::ffff:"), port
