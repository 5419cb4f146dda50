"""Work in the background of mitmproxy's loop."""

import asyncio
from collections.abc import Coroutine
from typing import Any

# asyncio itself keeps only weak references.
_running: set[asyncio.Task[None]] = set()


def start(work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
    task = asyncio.ensure_future(work)
    _running.add(task)
    task.add_done_callback(_running.discard)
    return task
