"""A port with TLS in front of a server without it, and a check of an API key."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import ssl
import threading
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from .api_key_gate import ApiKeyGate, NotGrpc

CHUNK_BYTES = 65536
CALL_SECONDS = 10.0
HANDSHAKE_SECONDS = 10.0

T = TypeVar("T")


class TlsFront:
    """Takes connections with TLS at `address`, and forwards what is in them to `target`, until `close`.

    It has its own thread.

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
        self._api_key = api_key
        self._open: set[asyncio.Task[None]] = set()
        self._closing = threading.Lock()
        self._loop = asyncio.SelectorEventLoop()
        self._thread = threading.Thread(target=self._run, name=f"tls-front-{port}", daemon=True)
        self._thread.start()
        try:
            self._server = self._submit(
                asyncio.start_server(
                    self._on_connection, host, port, ssl=context, ssl_handshake_timeout=HANDSHAKE_SECONDS
                )
            )
        except BaseException:
            self._end()
            raise

    def close(self) -> None:
        """Close the port and all connections. A second call does nothing."""
        with self._closing:
            if not self._loop.is_closed():
                with contextlib.suppress(concurrent.futures.TimeoutError):
                    self._submit(self._shut())
                self._end()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.set_exception_handler(lambda *_: None)  # a client's handshake that fails is the client's news
        self._loop.run_forever()

    def _submit(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(CALL_SECONDS)

    def _end(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(CALL_SECONDS)
        self._loop.close()

    async def _shut(self) -> None:
        self._server.close()
        for task in self._open:
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)

    async def _on_connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - for the type checker
        self._open.add(task)
        try:
            await self._forward(reader, writer)
        except (OSError, NotGrpc):
            pass
        except asyncio.CancelledError:
            if not self._closing.locked():
                raise
        finally:
            self._open.discard(task)
            writer.transport.abort()

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
