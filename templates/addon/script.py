"""What mitmproxy loads: `--scripts addon/script.py`.

It runs in whatever image the user chose. Until the version is checked, it must be Python that older ones read as well.
"""

import os
import sys

from mitmproxy import version

MINIMUM = 11

if int(version.VERSION.split(".")[0]) < MINIMUM:
    # Older versions of mitmproxy swallow SystemExit here, and print much after an exception.
    print(
        f"mittens needs mitmproxy {MINIMUM} or later; this image has {version.VERSION}: choose another with --image",
        file=sys.stderr,
        flush=True,
    )
    os._exit(1)

# mitmproxy takes the folder of a script from the path again.
sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from addon.script_error import ScriptError  # noqa: E402

script_error = ScriptError()

from addon import patches  # noqa: E402
from addon.connections import Connections  # noqa: E402
from addon.control import Control  # noqa: E402
from addon.counts import Counts  # noqa: E402
from addon.departure import Departure  # noqa: E402
from addon.flow_writer import FlowWriter  # noqa: E402
from addon.handover import Handover  # noqa: E402
from addon.headers import Headers  # noqa: E402
from addon.lane import Lanes  # noqa: E402
from addon.observer import Observer  # noqa: E402
from addon.options import Options  # noqa: E402
from addon.ports import Ports  # noqa: E402
from addon.quit_key import QuitKey  # noqa: E402
from addon.streams import Streams  # noqa: E402
from addon.view_bounds import ViewBounds  # noqa: E402
from addon.watched import Watched  # noqa: E402

patches.apply()

control = Control()
ports = Ports()
connections = Connections(ports)
streams = Streams(connections)
writer = FlowWriter()
watched = Watched()
counts = Counts(control, watched)
departure = Departure(control, counts, connections, streams, watched, writer)
observer = Observer(
    watched,
    on_boundary=lambda connection, is_boundary: control.send({"boundary": connection, "is": is_boundary}),
    on_end=departure.finish,
)

# mitmproxy calls their hooks in this order: a flow is written after the others are done with it.
addons = [
    script_error,
    Options(),
    QuitKey(),
    control,
    ports,
    Handover(control, ports),
    Lanes(control, ports),
    counts,
    connections,
    Headers(),
    streams,
    observer,
    departure,
    ViewBounds(),
    writer,
]
