"""The door's command line."""

import argparse
import os
import re
from dataclasses import dataclass
from pathlib import Path

from addon import contract

# As in addon/port.py, which is mitmproxy's.
PORT = re.compile(r"(\d{1,5})=(auto|http|https|h2c|tcp):(\d{1,5})")


@dataclass
class AppPort:
    """A port of the door, and the app's port behind it."""

    listen: int
    protocol: str
    app: int


def parse(argv: list[str]) -> argparse.Namespace:
    """Exits with 2 when the command line is wrong."""
    ours, child = split(argv)
    parser = argparse.ArgumentParser(prog="door", usage="python3 -m door --ports … [-- COMMAND …]")
    parser.add_argument("--ports", required=True, metavar="LISTEN=PROTOCOL:APP,…")
    parser.add_argument("--health", type=int, metavar="PORT")
    parser.add_argument("--wire", type=Path, metavar="FILE")
    parser.add_argument("--wire-limit", type=int, default=1024**3, metavar="BYTES")
    parser.add_argument("--wait", action="store_true")
    parser.add_argument("--fail-closed", action="store_true")
    parser.add_argument("--sample", type=float, default=100.0, metavar="PERCENT")
    options = parser.parse_args(ours)
    try:
        options.app_ports = parse_ports(options.ports)
    except ValueError as error:
        parser.error(str(error))
    options.command = [*child, "--set", f"{contract.PORTS_OPTION}={options.ports}"] if child else []
    return options


def split(argv: list[str]) -> tuple[list[str], list[str]]:
    """What is the door's, and what follows the first `--`."""
    end = argv.index("--") if "--" in argv else len(argv)
    return argv[:end], argv[end + 1 :]


def parse_ports(text: str) -> list[AppPort]:
    """@raises ValueError"""
    ports = []
    for part in text.split(","):
        match = PORT.fullmatch(part)
        if not match:
            raise ValueError(f"--ports: {part} is not LISTEN=PROTOCOL:APP")
        ports.append(AppPort(int(match[1]), match[2], int(match[3])))
    return ports


def pod_addresses() -> list[str]:
    """The addresses of this pod, by its environment."""
    return [ip for ip in os.environ.get(contract.POD_ADDRESS, "").split(",") if ip]
