"""A port with TLS in front of a server without it, and a check of an API key."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

from ..system.loop_thread import LoopThread
from .api_key_gate import ApiKeyGate, NotGrpc
from .listener import BACKLOG, clients_of

CHUNK_BYTES = 65536
HANDSHAKE_SECONDS = 10.0
MOST_CONNECTIONS = 400  # each takes two of the file descriptors of the supervisor, which may have 1024


class TlsFront:
    """Takes connections with TLS at `address`, and forwards what is in them to `target`, until `close`.

    It has its own thread. Of more connections than MOST_CONNECTIONS at a time, the further ones are closed at once.

    Args:
        host, port: Where to listen.
        target: Host and port of the server.
        context: TLS of a server.
        api_key: The key that each gRPC call needs; None: no key is checked.

    Raises:
        OSError: The port is taken.
    """

    def __init__(
        self, host: str, port: int, *, target: tuple[str, int], context: ssl.SSLContext, api_key: str | None = None
    ) -> None:
        self._target = target
        self._context = context
        self._api_key = api_key
        self._open: set[asyncio.Task[None]] = set()
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._listener = socket.create_server((host, port), family=family, backlog=BACKLOG)
        self._listener.setblocking(False)
        # A client's handshake that fails is the client's news.
        self._thread = LoopThread(f"tls-front-{port}", on_error=lambda context: None)
        self._accepting = self._thread.call(lambda: self._thread.loop.create_task(self._accept()))

    def close(self) -> None:
        """Close the port and all connections. A second call does nothing."""
        if self._thread.close(self._shut):
            self._listener.close()

    # In its thread

    async def _shut(self) -> None:
        tasks = [self._accepting, *self._open]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _accept(self) -> None:
        async for client in clients_of(self._listener):
            if len(self._open) >= MOST_CONNECTIONS:
                client.close()
                continue
            task = self._thread.loop.create_task(self._carry(client))
            self._open.add(task)
            task.add_done_callback(partial(self._ended, client))

    def _ended(self, client: socket.socket, task: asyncio.Task[None]) -> None:
        self._open.discard(task)
        client.close()  # if the task was cancelled before it started

    async def _carry(self, client: socket.socket) -> None:
        loop = self._thread.loop
        reader = asyncio.StreamReader()
        protocol = asyncio.StreamReaderProtocol(reader)
        with contextlib.suppress(OSError, NotGrpc):
            transport, _ = await loop.connect_accepted_socket(
                lambda: protocol, client, ssl=self._context, ssl_handshake_timeout=HANDSHAKE_SECONDS
            )
            try:
                await self._forward(reader, asyncio.StreamWriter(transport, protocol, reader, loop))
            finally:
                transport.abort()

    async def _forward(self, client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        server, to_server = await asyncio.open_connection(*self._target)
        try:
            there, back = _Way(to_server), _Way(to_client)
            if self._api_key is None:
                ways = [_copy(client, there.send), _copy(server, back.send)]
            else:
                gate = ApiKeyGate(self._api_key)

                async def from_client(data: bytes) -> None:
                    await there.send(gate.from_client(data))
                    await back.send(gate.answers())

                ways = [_copy(client, from_client), _copy(server, lambda data: back.send(gate.from_server(data)))]
            tasks = [asyncio.ensure_future(way) for way in ways]
            try:
                # A gRPC connection ends as a whole.
                await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)
        finally:
            to_server.transport.abort()
            with contextlib.suppress(OSError):
                to_client.close()
                await asyncio.wait_for(to_client.wait_closed(), 1)


class _Way:
    """One direction of a connection, to which two tasks may write."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self._writer = writer
        self._turn = asyncio.Lock()

    async def send(self, data: bytes) -> None:
        """Send, and wait while the peer does not read."""
        self._writer.write(data)  # before the wait: the order is that of the calls
        async with self._turn:
            await self._writer.drain()


async def _copy(source: asyncio.StreamReader, send: Callable[[bytes], Coroutine[Any, Any, None]]) -> None:
    while data := await source.read(CHUNK_BYTES):
        await send(data)
