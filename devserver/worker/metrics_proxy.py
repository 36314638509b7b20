"""One port for the metrics of whichever worker process runs now."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable

NOBODY = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
CHUNK = 65536


class MetricsProxy:
    """Forwards connections made to `port` of loopback to the port that `target` names; 503 while it names none."""

    def __init__(self, port: int, target: Callable[[], int | None]) -> None:
        self.port = port
        self._target = target
        self._carried: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Listen.

        Raises:
            OSError: The port is taken.
        """
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """Listen no more, and break what is open."""
        self._server.close()
        for each in list(self._carried):
            each.cancel()
        await asyncio.gather(*self._carried, return_exceptions=True)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._carry(reader, writer))
        self._carried.add(task)
        task.add_done_callback(self._carried.discard)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        port = self._target()
        try:
            if port is None:
                raise ConnectionRefusedError
            answers, questions = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            with contextlib.suppress(OSError):
                await reader.readuntil(b"\r\n\r\n")
                writer.write(NOBODY)
            writer.close()
            return
        with contextlib.suppress(OSError):
            await asyncio.gather(_pour(reader, questions), _pour(answers, writer))


async def _pour(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    try:
        while chunk := await source.read(CHUNK):
            sink.write(chunk)
            await sink.drain()
    finally:
        sink.close()
