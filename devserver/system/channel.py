"""JSON messages between a parent and a child process, over one socket that is also the child's lifeline.

A message is a line of JSON: its `kind` and its facts. The kernel closes the socket when a process ends, whatever ended
it. So a parent that reads the end of the stream knows that the child has ended, and a child that reads it exits.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import queue
import socket
import sys
import threading
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

from .parent_death import die_with_parent

MAX_TEXT = 4000  # characters of one text in a child's message: a failure may quote a whole payload
CHUNK_BYTES = 65536
MAX_DESCRIPTORS = 8


def encode(kind: str, facts: Mapping[str, Any]) -> bytes:
    """A message as it is sent."""
    return json.dumps({"kind": kind, **facts}, default=str).encode() + b"\n"


def decode(line: bytes) -> dict[str, Any]:
    """A message as it was received: `kind` and the facts."""
    message: dict[str, Any] = json.loads(line)
    return message


class Channel:
    """One end of the socket. Any thread may send; one thread receives."""

    def __init__(self, connected: socket.socket) -> None:
        self._socket = connected
        self._sending = threading.Lock()
        self._buffer = b""
        self._descriptors: list[int] = []

    def send(self, kind: str, descriptors: Sequence[int] = (), **facts: Any) -> None:
        """Send a message, and copies of open file descriptors with it.

        Raises:
            OSError: The other process has ended.
        """
        data = encode(kind, facts)
        with self._sending:
            if descriptors:
                data = data[socket.send_fds(self._socket, [data], list(descriptors)) :]
            self._socket.sendall(data)

    def receive(self) -> dict[str, Any] | None:
        """Wait for the next message; None when the other process has ended."""
        while b"\n" not in self._buffer:
            try:
                data, descriptors, _, _ = socket.recv_fds(self._socket, CHUNK_BYTES, MAX_DESCRIPTORS)
            except OSError:
                return None
            if not data:
                return None
            self._buffer += data
            self._descriptors += descriptors
        line, _, self._buffer = self._buffer.partition(b"\n")
        return decode(line)

    def take_descriptors(self) -> list[int]:
        """The descriptors that came with the messages received so far; the caller closes them."""
        taken, self._descriptors = self._descriptors, []
        return taken

    def close(self) -> None:
        """Close this end; the other process reads the end of the stream."""
        self._socket.close()


class ParentChannel:
    """The child's end. The child exits when its parent has ended, also where it is busy or frozen (frozen: Linux).

    Any thread may send; one thread or coroutine at a time receives.
    """

    def __init__(self, descriptor: int, parent: int) -> None:
        """Take the socket `descriptor` over from the parent, whose process id is `parent`."""
        die_with_parent(parent)
        os.set_inheritable(descriptor, False)
        self._channel = Channel(socket.socket(fileno=descriptor))
        self._received: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
        self._arrived = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        threading.Thread(target=self._listen, daemon=True, name="devserver-parent-channel").start()

    def send(self, kind: str, **facts: Any) -> None:
        """Send a message; long texts in it are cut."""
        with contextlib.suppress(OSError):  # the parent has ended, and this process is about to
            self._channel.send(kind, **_cut(facts))

    def receive(self) -> dict[str, Any]:
        """Wait for the next message, where no event loop is running."""
        return self._received.get()

    async def receive_async(self) -> dict[str, Any]:
        """Wait for the next message."""
        self._loop = asyncio.get_running_loop()
        while True:
            self._arrived.clear()
            with contextlib.suppress(queue.Empty):
                return self._received.get_nowait()
            await self._arrived.wait()

    def _listen(self) -> None:
        while (message := self._channel.receive()) is not None:
            self._received.put(message)
            if self._loop is not None:
                self._loop.call_soon_threadsafe(self._arrived.set)
        os._exit(1)  # the parent has ended


def exit_now(code: int) -> NoReturn:
    """Flush the output and exit without Python's clean-up, in which threads of the SDK sometimes abort."""
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.flush()
    os._exit(code)


def _cut(value: Any) -> Any:
    if isinstance(value, str):
        return value if len(value) <= MAX_TEXT else value[:MAX_TEXT] + "..."
    if isinstance(value, Mapping):
        return {key: _cut(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_cut(item) for item in value]
    return value
