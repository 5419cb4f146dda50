"""The limit of what is written of a body."""

from typing import Any

# mitmproxy's own form of a flow: what Flow.get_state returns.
State = dict[str, Any]


def cut_bodies(state: State, limit: int) -> None:
    """Cuts longer bodies and messages in the state of a flow, and says so in its comment.

    Args:
        state: changed in place; the flow itself stays as it is.
        limit: bytes.
    """
    longest = 0

    def cut(content: bytes | None) -> bytes | None:
        nonlocal longest
        if content is None or len(content) <= limit:
            return content
        longest = max(longest, len(content))
        return content[:limit]

    for message in (state.get("request"), state.get("response")):
        if message:
            message["content"] = cut(message["content"])
    # The content of a message comes after the bool that says who sent it.
    for holder, at in ((state.get("websocket"), 2), (state, 1)):
        if holder and holder.get("messages"):
            holder["messages"] = [(*m[:at], cut(m[at]), *m[at + 1 :]) for m in holder["messages"]]
    # The flow before somebody changed it, in full.
    state["backup"] = None
    if longest:
        state["comment"] = note_cut(state.get("comment") or "", limit, longest)


def note_cut(comment: str, limit: int, longest: int) -> str:
    """Adds to a comment, once, that bodies were cut."""
    note = f"mittens: cut to {limit} bytes, the longest from {longest}"
    return comment if note in comment else "\n".join(filter(None, [comment, note]))
