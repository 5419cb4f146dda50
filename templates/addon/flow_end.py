"""The end of a flow."""

from mitmproxy.flow import Flow
from mitmproxy.http import HTTPFlow
from mitmproxy.tcp import TCPFlow


class FlowEnd:
    """The hooks of mitmproxy that say that a flow has ended.

    A flow can end twice: an answered request can still come to an error.
    """

    def end(self, flow: Flow) -> None:
        raise NotImplementedError

    def response(self, flow: HTTPFlow) -> None:
        if flow.websocket is None:
            self.end(flow)

    def websocket_end(self, flow: HTTPFlow) -> None:
        self.end(flow)

    def error(self, flow: HTTPFlow) -> None:
        self.end(flow)

    def tcp_end(self, flow: TCPFlow) -> None:
        self.end(flow)

    def tcp_error(self, flow: TCPFlow) -> None:
        self.end(flow)
