"""What the proxy carries: one connection of a client and one to the server, over roads that can be cut and slowed."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from collections.abc import Coroutine
from typing import Any

CHUNK_BYTES = 65536
CHUNKS_HELD = 64
RESET = struct.pack("ii", 1, 0)  # SO_LINGER of 0 s: closing sends RST

Held = asyncio.Queue[tuple[float, "bytes | OSError"]]


class Road:
    """One way of the network, for all connections: whether it is open, and its latency in seconds."""

    def __init__(self) -> None:
        self.open = asyncio.Event()
        self.open.set()
        self.delay = 0.0


class Pair:
    """One connection of a client, and the one to the server at `host` and `port` that belongs to it."""

    def __init__(self, host: str, port: int, to_server: Road, to_client: Road) -> None:
        self._host = host
        self._port = port
        self._to_server = to_server
        self._to_client = to_client
        self._writers: list[asyncio.StreamWriter] = []

    async def carry(self, client: socket.socket) -> None:
        """Carry what both sides send until both have ended, or one connection breaks: then the other does too."""
        try:
            from_client = await self._open(sock=client)
            await self._to_server.open.wait()  # a connection is made by packets both ways
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
        """Pass a broken connection on, to each side when its road is open."""
        await _all(
            *(
                _reset_when_open(writer, road)
                for writer, road in zip(self._writers, (self._to_client, self._to_server), strict=False)
            )
        )

    def reset(self) -> None:
        """Break the connection on both sides, whatever the roads are like."""
        for writer in self._writers:
            _reset(writer)

    async def _close(self) -> None:
        """Close both sides once they have what was sent to them, or at once where that is cancelled."""
        for writer in self._writers:
            writer.close()
        try:
            for writer in self._writers:
                with contextlib.suppress(OSError):
                    await writer.wait_closed()
        finally:
            for writer in self._writers:
                writer.transport.abort()


async def _reset_when_open(writer: asyncio.StreamWriter, road: Road) -> None:
    await road.open.wait()
    _reset(writer)


def _reset(writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    writer.transport.abort()


async def _all(*work: Coroutine[Any, Any, None]) -> None:
    """All of them; where one fails, the others are cancelled."""
    tasks = [asyncio.ensure_future(each) for each in work]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _flow(source: asyncio.StreamReader, sink: asyncio.StreamWriter, road: Road) -> None:
    """Move what `source` sends to `sink` as the road lets it; a few MB are held at most, then `source` has to wait."""
    held: Held = asyncio.Queue(CHUNKS_HELD)
    await _all(_take(source, held, road), _give(held, sink, road))


async def _take(source: asyncio.StreamReader, held: Held, road: Road) -> None:
    loop = asyncio.get_running_loop()
    data: bytes | OSError = b"-"
    while isinstance(data, bytes) and data:
        try:
            data = await source.read(CHUNK_BYTES)
        except OSError as error:  # it travels like data: behind what was sent before it, and not over a cut road
            data = error
        await held.put((loop.time() + road.delay, data))


async def _give(held: Held, sink: asyncio.StreamWriter, road: Road) -> None:
    loop = asyncio.get_running_loop()
    while True:
        due, data = await held.get()
        if due > loop.time():
            await asyncio.sleep(due - loop.time())
        await road.open.wait()
        if isinstance(data, OSError):
            raise data
        if not data:
            sink.write_eof()
            return
        sink.write(data)
        await sink.drain()
