"""Bounds of what the proxy keeps in memory."""

from collections import OrderedDict

from mitmproxy.flow import Flow
from mitmproxy.http import HTTPFlow
from mitmproxy.tcp import TCPFlow, TCPMessage
from mitmproxy.websocket import WebSocketMessage

from . import interface, limits
from .flow_end import FlowEnd


class ViewBounds(FlowEnd):
    """Removes the oldest flows from the view, and the oldest messages of a long connection."""

    name = "mittens-view-bounds"

    def __init__(self) -> None:
        self.kept: OrderedDict[str, tuple[Flow, int]] = OrderedDict()
        self.kept_bytes = 0
        self.message_bytes: dict[str, int] = {}

    def tcp_message(self, flow: TCPFlow) -> None:
        self.trim(flow, flow.messages)

    def websocket_message(self, flow: HTTPFlow) -> None:
        assert flow.websocket
        self.trim(flow, flow.websocket.messages)

    def end(self, flow: Flow) -> None:
        self.message_bytes.pop(flow.id, None)
        if interface.find_view() is not None and flow.id not in self.kept:
            self.keep(flow)

    def trim(self, flow: Flow, messages: list[TCPMessage] | list[WebSocketMessage]) -> None:
        if interface.find_view() is not None:
            if len(messages) > limits.KEPT_MESSAGES:
                del messages[: limits.KEPT_MESSAGES // 2]
            return
        # Without a view, the file is to have them all.
        size = self.message_bytes.get(flow.id, 0) + len(messages[-1].content)
        if size > limits.KEPT_MESSAGE_BYTES:
            del messages[: len(messages) // 2 + 1]
            size = sum(len(message.content) for message in messages)
            flow.comment = "mittens: only its last messages"
        self.message_bytes[flow.id] = size

    def keep(self, flow: Flow) -> None:
        self.kept[flow.id] = (flow, body_size(flow))
        self.kept_bytes += body_size(flow)
        while len(self.kept) > limits.KEPT_FLOWS or (self.kept_bytes > limits.KEPT_BYTES and len(self.kept) > 1):
            self.forget_oldest()

    def forget_oldest(self) -> None:
        """Removes a flow from the view, unless the user has marked or holds it."""
        _, (oldest, size) = self.kept.popitem(last=False)
        self.kept_bytes -= size
        view = interface.find_view()
        if view is not None and not oldest.marked and not oldest.intercepted:
            view.remove([oldest])


def body_size(flow: Flow) -> int:
    messages = (flow.request, flow.response) if isinstance(flow, HTTPFlow) else ()
    return sum(len(message.raw_content or b"") for message in messages if message)
