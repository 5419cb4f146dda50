"""What the kernel knows of a connection, and how one is reset."""

import contextlib
import errno
import fcntl
import socket
import struct
import termios

AGAIN = (errno.EAGAIN, errno.EWOULDBLOCK)

# Close with a RST: on, after 0 s (socket(7), SO_LINGER).
RESET = struct.pack("ii", 1, 0)

# struct tcp_info up to tcpi_rtt; the state of a connection that neither side has ended.
TCP_INFO_BYTES = 72
ESTABLISHED = 1
# tcpi_last_data_sent and tcpi_last_data_recv, in ms.
LAST_SENT, LAST_RECEIVED = 44, 52
# tcpi_rtt, in µs: how long the peer took to answer.
ROUND_TRIP = 68


def reset(sock: socket.socket, is_shared: bool = False) -> None:
    """Closes with a RST.

    @param is_shared: another process may have the socket, too: the RST then comes when that one is gone or gives it up.
    Until then the peer sees an end, and a RST if it sends more.
    """
    if is_shared:
        with contextlib.suppress(OSError):
            sock.shutdown(socket.SHUT_RDWR)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    sock.close()


def is_open_both_ways(sock: socket.socket) -> bool:
    """Whether the peer has not ended its half, which shows here before all that it sent has been read."""
    return tcp_info(sock)[0] == ESTABLISHED


def has_been_connected(sock: socket.socket) -> bool:
    """Whether the peer has accepted, even if it has reset the connection since."""
    return bool(struct.unpack_from("I", tcp_info(sock), ROUND_TRIP)[0] > 0)


def is_silent(sock: socket.socket) -> bool:
    """Whether the peer has sent nothing that is still to be read."""
    try:
        sock.recv(1, socket.MSG_PEEK)
    except OSError as error:
        return error.errno in AGAIN
    return False


def tcp_info(sock: socket.socket) -> bytes:
    """What the kernel knows of a connection: struct tcp_info of linux/tcp.h; zeros if it tells nothing."""
    try:
        return sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, TCP_INFO_BYTES).ljust(TCP_INFO_BYTES, b"\0")
    except OSError:
        return bytes(TCP_INFO_BYTES)


def undelivered(sock: socket.socket) -> int:
    """How many bytes the peer has not acknowledged: SIOCOUTQ, tcp(7)."""
    try:
        return int(struct.unpack("i", fcntl.ioctl(sock.fileno(), termios.TIOCOUTQ, b"\0\0\0\0"))[0])
    except OSError:
        return 0


def idle_times(sock: socket.socket) -> tuple[float, float]:
    """For how long nothing was sent to the peer, and nothing received from it, in s."""
    info = tcp_info(sock)
    sent, received = (struct.unpack_from("I", info, at)[0] / 1000 for at in (LAST_SENT, LAST_RECEIVED))
    return sent, received
