"""What shows the flows: the TUI, mitmweb, or nothing (mitmdump)."""

from typing import cast

from mitmproxy import ctx
from mitmproxy.addons.view import View


def has_tui() -> bool:
    return hasattr(ctx.master, "prompt_for_exit")


def find_view() -> View | None:
    """The flows that the TUI or mitmweb shows; None in mitmdump, which keeps none. An empty view is false."""
    return cast(View | None, getattr(ctx.master, "view", None))
