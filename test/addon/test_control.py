"""The socket to the door."""

import asyncio
import json
import os
import socket
from collections.abc import Awaitable, Callable

from conftest import Proxy

RunAsync = Callable[[Callable[[], Awaitable[None]]], None]


def test_a_ping_is_answered(proxy: Proxy, run_async: RunAsync) -> None:
    async def work() -> None:
        proxy.control.running()
        proxy.door.send(b'{"ping": 7}')
        assert await asyncio.to_thread(proxy.hear) == {"pong": 7}

    run_async(work)


def test_a_message_comes_with_bytes_and_a_descriptor(proxy: Proxy, run_async: RunAsync) -> None:
    heard: list[tuple[int, bytes, bytes]] = []

    def take(message: dict[str, int], rest: bytes, descriptors: list[int]) -> None:
        heard.append((message["take"], rest, os.read(descriptors[0], 100)))
        os.close(descriptors[0])

    async def work() -> None:
        proxy.control.on("take", take)
        proxy.control.running()
        near, far = socket.socketpair()
        far.send(b"later")
        with near, far:
            socket.send_fds(proxy.door, [json.dumps({"take": 3}).encode() + b"\nGET /\n"], [near.fileno()])
            while not heard:
                await asyncio.sleep(0.01)

    run_async(work)
    assert heard == [(3, b"GET /\n", b"later")]


def test_a_door_that_is_gone_is_no_error(proxy: Proxy, run_async: RunAsync) -> None:
    async def work() -> None:
        proxy.control.running()
        proxy.door.close()
        while proxy.control.sock:
            await asyncio.sleep(0.01)
        proxy.control.send({"lane": "watch"})

    run_async(work)
