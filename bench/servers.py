"""The contestants: our server, the SDK's own local one, and the bare binary, all on the same executable."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import subprocess
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

from temporalio.client import Client
from temporalio.service import RPCError
from temporalio.testing import WorkflowEnvironment

from devserver import DevServer

RETRY_SECONDS = 0.002


@contextlib.asynccontextmanager
async def ours(executable: Path) -> AsyncIterator[Client]:
    """`DevServer.start()`, as a test would use it."""
    async with DevServer.start_async(binary=executable) as server:
        yield await Client.connect(server.address)


@contextlib.asynccontextmanager
async def durable(executable: Path) -> AsyncIterator[Client]:
    """`DevServer.start(database=...)`, as a laptop would use it."""
    with tempfile.TemporaryDirectory() as folder:
        async with DevServer.start_async(binary=executable, database=Path(folder) / "t.db") as server:
            yield await Client.connect(server.address)


@contextlib.asynccontextmanager
async def sdk(executable: Path) -> AsyncIterator[Client]:
    """The SDK's `WorkflowEnvironment.start_local`."""
    environment = await WorkflowEnvironment.start_local(dev_server_existing_path=str(executable), ui=True)
    async with environment:
        yield environment.client


@contextlib.asynccontextmanager
async def sdk_on_file(executable: Path) -> AsyncIterator[Client]:
    """The same with a database file."""
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "t.db")
        environment = await WorkflowEnvironment.start_local(
            dev_server_existing_path=str(executable), ui=True, dev_server_database_filename=path
        )
        async with environment:
            yield environment.client


@contextlib.asynccontextmanager
async def bare(executable: Path) -> AsyncIterator[Client]:
    """The bare binary, and a client that retries until it connects."""
    port = free_port()
    command = [str(executable), "server", "start-dev", "--ip", "127.0.0.1", "--port", str(port)]
    process = subprocess.Popen(
        [*command, "--ui-port", str(free_port()), "--log-level", "error"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={key: value for key, value in os.environ.items() if not key.startswith("TEMPORAL_")},
    )
    try:
        yield await connect(f"127.0.0.1:{port}")
    finally:
        process.kill()
        process.wait()


async def connect(address: str) -> Client:
    """A client of a server that may not listen yet."""
    while True:
        try:
            return await Client.connect(address)
        except (RuntimeError, RPCError):
            await asyncio.sleep(RETRY_SECONDS)


def free_port() -> int:
    """A port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
