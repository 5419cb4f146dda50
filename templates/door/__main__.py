"""python3 -m door --ports LISTEN=PROTOCOL:APP,… [flags] [-- mitmproxy …]: relays until it is told to leave.

The folder with the packages door and addon has to be the working folder, or in PYTHONPATH.
"""

import resource
import sys

from .command_line import parse
from .door import Door, say_port_is_taken


def main(argv: list[str]) -> int:
    """@returns the exit code: 0 when it has left in order, 1 when it could not begin; or that of its child."""
    options = parse(argv)
    allow_many_descriptors()
    try:
        door = Door(options)
    except OSError as error:
        say_port_is_taken(error)
        return 1
    return door.run()


def allow_many_descriptors() -> None:
    """Two for each connection."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
