"""A child of the door that gives its two sockets to a test, says how it was started, and ends when it is told to."""

import json
import os
import resource
import socket
import sys
from pathlib import Path

about = {
    "pid": os.getpid(),
    "args": sys.argv[2:],
    "oom": Path("/proc/self/oom_score_adj").read_text().strip(),
    "data": resource.getrlimit(resource.RLIMIT_DATA),
}
with socket.socket(socket.AF_UNIX) as test:
    test.connect(sys.argv[1])
    descriptors = [int(os.environ[name]) for name in ("MITTENS_COPIES", "MITTENS_CONTROL")]
    socket.send_fds(test, [json.dumps(about).encode()], descriptors)
    for descriptor in descriptors:
        os.close(descriptor)
    sys.exit(int(test.recv(16) or 0))
