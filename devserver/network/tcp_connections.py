"""The connections of the proxy: pairs of a client's and a server's, over links that can be cut and slowed."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from collections.abc import Coroutine
from typing import Any

CHUNK_BYTES = 65536
BUFFERED_CHUNKS = 64
RESET = struct.pack("ii", 1, 0)  # SO_LINGER of 0 s: closing sends RST

Buffer = asyncio.Queue[tuple[float, "bytes | OSError"]]


class Link:
    """One direction of the network, for all connections: whether it is open, and its latency in seconds."""

    def __init__(self) -> None:
        self.open = asyncio.Event()
        self.open.set()
        self.delay = 0.0


class ConnectionPair:
    """A client's connection, and the connection to the server at `host` and `port` that belongs to it."""

    def __init__(self, host: str, port: int, to_server: Link, to_client: Link) -> None:
        self._host = host
        self._port = port
        self._to_server = to_server
        self._to_client = to_client
        self._writers: list[asyncio.StreamWriter] = []

    async def carry(self, client: socket.socket) -> None:
        """Forward data until both sides have ended, or one connection breaks: then the other breaks too."""
        try:
            from_client = await self._open(sock=client)
            await self._to_server.open.wait()  # opening a connection takes packets in both directions
            await self._to_client.open.wait()
            from_server = await self._open(host=self._host, port=self._port)
            client_sink, server_sink = self._writers
            await _all(
                _flow(from_client, server_sink, self._to_server),
                _flow(from_server, client_sink, self._to_client),
            )
        except OSError:
            await self._break()
        except BaseException:
            self.reset()
            raise
        finally:
            await self._close()

    async def _open(self, **how: Any) -> asyncio.StreamReader:
        reader, writer = await asyncio.open_connection(**how)
        self._writers.append(writer)
        return reader

    async def _break(self) -> None:
        """Break the connections, each one when its link is open."""
        await _all(
            *(
                _reset_when_open(writer, link)
                for writer, link in zip(self._writers, (self._to_client, self._to_server), strict=False)
            )
        )

    def reset(self) -> None:
        """Break both connections, even if the links are cut."""
        for writer in self._writers:
            _reset(writer)

    async def _close(self) -> None:
        """Close both connections after pending data was sent, or at once if this is cancelled."""
        for writer in self._writers:
            writer.close()
        try:
            for writer in self._writers:
                with contextlib.suppress(OSError):
                    await writer.wait_closed()
        finally:
            for writer in self._writers:
                writer.transport.abort()


async def _reset_when_open(writer: asyncio.StreamWriter, link: Link) -> None:
    await link.open.wait()
    _reset(writer)


def _reset(writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    writer.transport.abort()


async def _all(*work: Coroutine[Any, Any, None]) -> None:
    """Wait for all; if one fails, cancel the others."""
    tasks = [asyncio.ensure_future(coroutine) for coroutine in work]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _flow(source: asyncio.StreamReader, sink: asyncio.StreamWriter, link: Link) -> None:
    """Forward data from `source` to `sink` over the link. At most a few MB are buffered, then `source` has to wait."""
    buffer: Buffer = asyncio.Queue(BUFFERED_CHUNKS)
    await _all(_read(source, buffer, link), _write(buffer, sink, link))


async def _read(source: asyncio.StreamReader, buffer: Buffer, link: Link) -> None:
    loop = asyncio.get_running_loop()
    data: bytes | OSError = b"-"
    while isinstance(data, bytes) and data:
        try:
            data = await source.read(CHUNK_BYTES)
        except OSError as error:  # an error arrives in order, after the data before it, and not over a cut link
            data = error
        await buffer.put((loop.time() + link.delay, data))


async def _write(buffer: Buffer, sink: asyncio.StreamWriter, link: Link) -> None:
    loop = asyncio.get_running_loop()
    while True:
        due, data = await buffer.get()
        if due > loop.time():
            await asyncio.sleep(due - loop.time())
        await link.open.wait()
        if isinstance(data, OSError):
            raise data
        if not data:
            sink.write_eof()
            return
        sink.write(data)
        await sink.drain()
