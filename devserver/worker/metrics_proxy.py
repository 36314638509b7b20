"""One port for the metrics of whichever worker process is running."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Callable

from ..system.ports import port_taken

HOST = "127.0.0.1"
UNAVAILABLE = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
CHUNK_BYTES = 65536


class MetricsProxy:
    """Forwards connections to `port` on loopback to the port that `target` returns; answers 503 while that is None."""

    def __init__(self, port: int, target: Callable[[], int | None]) -> None:
        self.port = port
        self._target = target
        self._connections: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Start listening.

        Raises:
            PortTaken: Another process listens on the port, or this one may not.
        """
        try:
            self._server = await asyncio.start_server(self._accept, HOST, self.port)
        except OSError as error:
            reason = os.strerror(error.errno) if error.errno else str(error)
            raise port_taken(HOST, self.port, "--metrics-port", reason) from None
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """Stop listening, and break open connections."""
        self._server.close()
        for connection in list(self._connections):
            connection.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._forward(reader, writer))
        self._connections.add(task)
        task.add_done_callback(self._connections.discard)

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        port = self._target()
        try:
            if port is None:
                raise ConnectionRefusedError
            answers, requests = await asyncio.open_connection(HOST, port)
        except OSError:
            with contextlib.suppress(OSError):
                await reader.readuntil(b"\r\n\r\n")
                writer.write(UNAVAILABLE)
            writer.close()
            return
        with contextlib.suppress(OSError):
            await asyncio.gather(_copy(reader, requests), _copy(answers, writer))


async def _copy(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    try:
        while chunk := await source.read(CHUNK_BYTES):
            sink.write(chunk)
            await sink.drain()
    finally:
        sink.close()
