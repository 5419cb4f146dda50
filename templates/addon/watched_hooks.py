"""Whom watched flows are shown to: the addons that only look.

What changes or holds a flow must not see one that has passed already.
"""

from collections.abc import Callable, Sequence
from typing import Any

from mitmproxy import ctx
from mitmproxy.addonmanager import safecall
from mitmproxy.flow import Flow

from . import interface

# In the order in which they are called: mitmproxy's own, and ours.
LOOKERS = ("dumper", "save", "savehar", "mittens-view-bounds", "mittens-flow-writer")
# Draws the details of a flow in the TUI anew.
PAINTER = "consoleaddon"


class WatchedHooks:
    """Calls the hooks of those who look, and shows flows in the TUI and mitmweb."""

    def __init__(self) -> None:
        self.found: dict[str, list[Callable[[Flow], Any]]] = {}

    def call(self, hook: str, flow: Flow) -> None:
        for look in self.find(hook):
            # It logs what an addon raises.
            with safecall():
                look(flow)

    def find(self, hook: str) -> list[Callable[[Flow], Any]]:
        if hook not in self.found:
            addons = [ctx.master.addons.get(name) for name in LOOKERS]
            self.found[hook] = [getattr(addon, hook) for addon in addons if hasattr(addon, hook)]
        return self.found[hook]

    def add_to_view(self, flow: Flow) -> None:
        view = interface.find_view()
        if view is not None:
            with safecall():
                view.add([flow])

    def update_view(self, flows: Sequence[Flow]) -> None:
        view = interface.find_view()
        if view is None or not flows:
            return
        with safecall():
            view.update(flows)
        painter = ctx.master.addons.get(PAINTER)
        if painter:
            with safecall():
                painter.update(flows)
