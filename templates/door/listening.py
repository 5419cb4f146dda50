"""Which ports of this network namespace somebody listens on, without a connection to any of them.

A connection would be noticed: MySQL, for one, shuts out a host that connects and says nothing a hundred times.
"""

from pathlib import Path

TABLES = (Path("/proc/net/tcp"), Path("/proc/net/tcp6"))
# The state of a socket in these tables, https://docs.kernel.org/networking/proc_net_tcp.html
LISTEN = "0A"


def listening_ports(tables: tuple[Path, ...] = TABLES) -> set[int]:
    """The numbers of all TCP ports that are listened on."""
    ports = set()
    for table in tables:
        try:
            lines = table.read_text().splitlines()[1:]
        except FileNotFoundError:
            continue
        for line in lines:
            _, local, _, state = line.split(maxsplit=4)[:4]
            if state == LISTEN:
                ports.add(int(local.rpartition(":")[2], 16))
    return ports
