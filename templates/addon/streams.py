"""Streams: bodies that pass as they come."""

import asyncio
from dataclasses import dataclass, field

from mitmproxy.flow import Flow
from mitmproxy.http import HTTPFlow, Message

from . import interface, limits, tasks
from .body_keeper import BodyKeeper, Kept
from .body_limit import note_cut
from .connections import Connections
from .flow_end import FlowEnd
from .headers import is_grpc, is_stream


@dataclass
class Stream:
    """A flow whose request, response or both pass as they come."""

    flow: HTTPFlow
    keepers: list[BodyKeeper] = field(default_factory=list)


class Streams(FlowEnd):
    """Decides which bodies are streamed, and shows what has passed of them."""

    name = "mittens-streams"

    def __init__(self, connections: Connections) -> None:
        self.connections = connections
        self.open: dict[str, Stream] = {}
        self.kept = Kept()

    def running(self) -> None:
        if interface.find_view() is not None:
            tasks.start(self.refresh_view())

    def requestheaders(self, flow: HTTPFlow) -> None:
        # A call can be answered piece by piece before the request has ended.
        if is_grpc(flow.request.headers):
            self.stream(flow, flow.request)

    def request(self, flow: HTTPFlow) -> None:
        self.show(flow)

    def responseheaders(self, flow: HTTPFlow) -> None:
        if flow.response and is_stream(flow.response.headers):
            self.stream(flow, flow.response)

    def end(self, flow: Flow) -> None:
        self.show(flow)
        ended = self.open.pop(flow.id, None)
        for keeper in ended.keepers if ended else []:
            keeper.close()

    def stream(self, flow: HTTPFlow, message: Message) -> None:
        self.connections.allow_silence(flow)
        keeper = BodyKeeper(message, self.kept)
        self.open.setdefault(flow.id, Stream(flow)).keepers.append(keeper)
        message.stream = keeper

    def show(self, flow: Flow) -> bool:
        """Puts what has passed of the flow's streams into the flow. Returns whether there is more than before."""
        stream = self.open.get(flow.id)
        if not stream:
            return False
        for keeper in stream.keepers:
            if keeper.is_cut():
                flow.comment = note_cut(flow.comment, len(keeper.kept), keeper.passed)
        grown = [keeper.show() for keeper in stream.keepers]
        return any(grown)

    async def refresh_view(self) -> None:
        while (view := interface.find_view()) is not None:
            await asyncio.sleep(limits.SHOW_STREAMS)
            grown = [stream.flow for stream in list(self.open.values()) if self.show(stream.flow)]
            if grown:
                view.update(grown)
