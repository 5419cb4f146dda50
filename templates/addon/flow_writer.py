"""Writes flows to the disk of the pod."""

from mitmproxy.flow import Flow
from mitmproxy.http import HTTPFlow
from mitmproxy.tcp import TCPFlow

from . import options
from .body_limit import cut_bodies
from .flow_end import FlowEnd
from .flow_file import FlowFile


class FlowWriter(FlowEnd):
    """Writes each flow once: when it ends, or before, when the proxy ends."""

    name = "mittens-flow-writer"

    def __init__(self) -> None:
        self.open: dict[str, HTTPFlow | TCPFlow] = {}
        self.written_early: set[str] = set()
        self.file = FlowFile()

    def requestheaders(self, flow: HTTPFlow) -> None:
        self.open[flow.id] = flow

    def tcp_start(self, flow: TCPFlow) -> None:
        self.open[flow.id] = flow

    def end(self, flow: Flow) -> None:
        was_open = self.open.pop(flow.id, None) is not None
        if was_open and flow.id not in self.written_early:
            self.write(flow)

    def write_early(self, flow: Flow) -> None:
        """Writes a flow as it is now. Its end will not be written."""
        self.written_early.add(flow.id)
        self.write(flow)

    def write(self, flow: Flow) -> None:
        state = flow.get_state()
        limit = options.body_limit()
        if limit is not None:
            cut_bodies(state, limit)
        self.file.add(state)
