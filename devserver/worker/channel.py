"""The worker process's line to its keeper: JSON, a line each way at a time. When it closes, the process ends."""

from __future__ import annotations

import asyncio
import json
import os
import queue
import socket
import threading
from collections.abc import Mapping
from typing import Any

MOST_TEXT = 4000  # characters of any one text: a failure may quote a whole payload


class Channel:
    """Our end. Anything may be told from any thread; orders are received by one coroutine at a time."""

    def __init__(self, connected: socket.socket) -> None:
        self._socket = connected
        self._one = threading.Lock()
        self._orders: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._there = asyncio.Event()
        threading.Thread(target=self._listen, daemon=True, name="devserver-channel").start()

    def tell(self, kind: str, **facts: Any) -> None:
        """Say something; long texts are shortened."""
        line = json.dumps({"kind": kind, **_short(facts)}, default=str).encode() + b"\n"
        with self._one:
            self._socket.sendall(line)

    def first(self) -> dict[str, Any]:
        """The next order, where no event loop runs yet."""
        return self._orders.get()

    async def order(self) -> dict[str, Any]:
        """The next order."""
        self._loop = asyncio.get_running_loop()
        while self._orders.empty():
            self._there.clear()
            if self._orders.empty():
                await self._there.wait()
        return self._orders.get()

    def _listen(self) -> None:
        with self._socket.makefile("rb") as lines:
            for line in lines:
                self._orders.put(json.loads(line))
                if self._loop is not None:
                    self._loop.call_soon_threadsafe(self._there.set)
        os._exit(1)  # the keeper has ended, whatever ended it


def _short(value: Any) -> Any:
    if isinstance(value, str):
        return value if len(value) <= MOST_TEXT else value[:MOST_TEXT] + "..."
    if isinstance(value, Mapping):
        return {key: _short(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_short(each) for each in value]
    return value
