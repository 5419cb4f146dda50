"""The flows on the disk of the pod."""

from typing import Any, BinaryIO

from mitmproxy.io import tnetstring

from . import contract, limits


class FlowFile:
    """Writes each flow as soon as it has ended. mitmproxy's own way keeps the last ones in memory.

    A full disk costs flows, never traffic. The file is always a sequence of whole flows, but for its end.
    """

    def __init__(self) -> None:
        self.file: BinaryIO | None = None
        self.size = 0
        self.rest = b""
        self.written = 0
        self.dropped = 0

    def add(self, state: dict[str, Any]) -> None:
        """Appends a flow by its state, or counts it as dropped."""
        data = tnetstring.dumps(state)
        self.flush()
        if self.rest or self.size + len(data) > limits.FILE_BYTES:
            self.dropped += 1
            return
        self.written += 1
        self.append(data)

    def end(self, unread: int) -> None:
        """Tells followers that there are no more flows: scripts/lib/capture/flow-pod-file.ts.

        @param unread: how many bytes passed of which no flows were made, since mitmproxy was too slow.
        """
        end = {"mittens": "end", "written": self.written, "dropped": self.dropped, "unread": unread}
        self.append(tnetstring.dumps(end))

    def append(self, data: bytes) -> None:
        self.size += len(data)
        self.rest += data
        self.flush()

    def flush(self) -> None:
        """Writes what is left, if the disk takes it."""
        try:
            if self.file is None:
                self.file = open(contract.FLOWS, "ab", buffering=0)  # noqa: SIM115
            while self.rest:
                self.rest = self.rest[self.file.write(self.rest) :]
        except OSError:
            pass  # The next flow tries again.
