"""What the code in the pod shares with TypeScript and the shell, by the names in contract.json.

scripts/lib/plan/pod-contract.ts reads the same file. start.sh and the YAML templates repeat the names; a test compares.
"""

import json
from pathlib import Path
from signal import Signals
from typing import Final

_NAMES = json.loads(Path(__file__).with_name("contract.json").read_text(encoding="utf-8"))

# Touched when all ports are open.
READY: Final[str] = _NAMES["paths"]["ready"]
# All flows that have ended, for scripts/lib/capture/follow-pod.ts.
FLOWS: Final[str] = _NAMES["paths"]["flows"]
# What the door tells of itself, as JSON.
COUNTS: Final[str] = _NAMES["paths"]["counts"]
# A folder with a file for each follower that has not read the end of the flows yet.
FOLLOWERS: Final[str] = _NAMES["paths"]["followers"]

# The variables with the numbers of the descriptors that the door leaves open for mitmproxy.
COPIES: Final[str] = _NAMES["variables"]["copies"]
CONTROL: Final[str] = _NAMES["variables"]["control"]

# The variable with the address of the pod.
POD_ADDRESS: Final[str] = _NAMES["variables"]["podAddress"]

# Options of mitmproxy's command line.
PORTS_OPTION: Final[str] = _NAMES["options"]["ports"]
BODY_LIMIT_OPTION: Final[str] = _NAMES["options"]["bodyLimit"]
FORWARDED_OPTION: Final[str] = _NAMES["options"]["forwarded"]
WEB_TOKEN_OPTION: Final[str] = _NAMES["options"]["webToken"]

# The Service no longer points here. SIGTERM, from Kubernetes, says that the pod ends.
LEAVE_SIGNAL: Final[Signals] = Signals[f"SIG{_NAMES['signals']['leave']}"]

# The title of the terminal when the user quits, for scripts/lib/session/session.ts.
QUIT_TITLE: Final[str] = _NAMES["titles"]["quit"]
