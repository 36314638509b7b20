"""Time skipping: months of timers on our server, on the stock one, and on the legacy test server."""

from __future__ import annotations

import contextlib
import shutil
import sysconfig
import time
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

from temporalio.client import Client
from temporalio.testing import TimeSkipper, TimeSkippingConfig, WorkflowEnvironment
from temporalio.worker import Worker

from devserver import DevServer

from .table import Row
from .work import Days

QUEUE = "days"
LEGACY = str(Path(sysconfig.get_path("scripts")) / "temporal-test-server")
ENABLED = ["--dynamic-config-value", "frontend.WorkflowTimeSkippingEnabled=true"]
STOCK_MOST = 30  # after 200 skips the stock server silently stops skipping


@contextlib.asynccontextmanager
async def ours(executable: Path) -> AsyncIterator[Client]:
    """Our server with its fast tuning."""
    async with DevServer.start_async(binary=executable) as server:
        client = await Client.connect(server.address)
        yield TimeSkipper(client, config=TimeSkippingConfig(enabled=True)).client


@contextlib.asynccontextmanager
async def stock(executable: Path) -> AsyncIterator[Client]:
    """The SDK's time skipping V2 on the stock server, with only the required settings."""
    environment = await WorkflowEnvironment.start_time_skipping_v2(
        dev_server_existing_path=str(executable), dev_server_extra_args=ENABLED
    )
    async with environment:
        yield environment.client


@contextlib.asynccontextmanager
async def legacy(executable: Path) -> AsyncIterator[Client]:
    """The legacy test server (V1), whose workflows share one clock."""
    environment = await WorkflowEnvironment.start_time_skipping(test_server_existing_path=LEGACY)
    async with environment:
        yield environment.client


async def days(
    contestant: Callable[[Path], AbstractAsyncContextManager[Client]], executable: Path, count: int
) -> float:
    """Seconds for a workflow of `count` timers of one day."""
    async with contestant(executable) as client, Worker(client, task_queue=QUEUE, workflows=[Days]):
        await client.execute_workflow(Days.run, 1, id=str(uuid.uuid4()), task_queue=QUEUE)
        begin = time.perf_counter()
        await client.execute_workflow(Days.run, count, id=str(uuid.uuid4()), task_queue=QUEUE)
        return time.perf_counter() - begin


async def measure(executable: Path) -> AsyncIterator[Row]:
    """A month against stock; a month and a year against the legacy server, where it is installed."""
    month = [await days(ours, executable, 30)]
    yield Row("30 timers of 1 day, time skipping", month, [await days(stock, executable, 30)], "stock V2", aim=75)
    if shutil.which(LEGACY) is None:
        return
    yield Row("30 timers of 1 day, time skipping", month, [await days(legacy, executable, 30)], "legacy V1")
    year = [await days(ours, executable, 365)]
    yield Row("365 timers of 1 day, time skipping", year, [await days(legacy, executable, 365)], "legacy V1")
