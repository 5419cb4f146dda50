"""What Python shares with TypeScript and the shell. test/unit/addon-package.test.ts compares the other two."""

import json
import re
import signal
import subprocess
import sys
from pathlib import Path

from addon import contract

ADDON = Path(contract.__file__).parent
NAMES = json.loads((ADDON / "contract.json").read_text())


def test_the_names_are_those_of_the_file() -> None:
    assert NAMES["paths"]["ready"] == contract.READY
    assert NAMES["paths"]["flows"] == contract.FLOWS
    assert NAMES["paths"]["followers"] == contract.FOLLOWERS
    assert NAMES["variables"]["copies"] == contract.COPIES
    assert NAMES["variables"]["control"] == contract.CONTROL
    assert NAMES["variables"]["podAddress"] == contract.POD_ADDRESS
    assert NAMES["options"]["ports"] == contract.PORTS_OPTION
    assert NAMES["options"]["bodyLimit"] == contract.BODY_LIMIT_OPTION
    assert NAMES["options"]["forwarded"] == contract.FORWARDED_OPTION
    assert NAMES["options"]["webToken"] == contract.WEB_TOKEN_OPTION
    assert getattr(signal, f"SIG{NAMES['signals']['leave']}") == contract.LEAVE_SIGNAL
    assert NAMES["titles"]["quit"] == contract.QUIT_TITLE


def test_no_module_repeats_a_name() -> None:
    values = [value for group in ("paths", "variables", "options", "titles") for value in NAMES[group].values()]
    pattern = re.compile("|".join(f"[\"']{re.escape(value)}\\b" for value in values))
    for module in ADDON.rglob("*.py"):
        assert not pattern.search(module.read_text()), module


def test_programs_beside_mitmproxy_can_read_the_names() -> None:
    code = "import sys, addon.contract; sys.exit('mitmproxy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ADDON.parent, check=False).returncode == 0
