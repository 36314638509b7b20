"""The metrics of the current worker, on a fixed port."""

from __future__ import annotations

import asyncio
import urllib.error
import urllib.request

import pytest

from devserver.worker.metrics_proxy import MetricsProxy


def get(port: int) -> bytes:
    """Return the answer."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=60) as answer:
        content: bytes = answer.read()
        return content


def test_the_port_stays_when_the_worker_changes() -> None:
    """Without a worker, or just after one has exited, Prometheus gets a 503."""

    async def served(word: bytes) -> asyncio.Server:
        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n\r\n" + word)
            await writer.drain()
            writer.close()

        return await asyncio.start_server(answer, "127.0.0.1", 0)

    async def look() -> None:
        target: list[int] = []
        relay = MetricsProxy(0, lambda: target[-1] if target else None)
        await relay.start()
        with pytest.raises(urllib.error.HTTPError, match="503"):
            await asyncio.to_thread(get, relay.port)
        for word in (b"one", b"two"):
            server = await served(word)
            target.append(server.sockets[0].getsockname()[1])
            assert await asyncio.to_thread(get, relay.port) == word
            server.close()
        with pytest.raises(urllib.error.HTTPError, match="503"):
            await asyncio.to_thread(get, relay.port)
        await relay.close()

    asyncio.run(look())
