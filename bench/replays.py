"""Replays: histories of a server against today's code, compared with the SDK's own Replayer in one process."""

from __future__ import annotations

import asyncio
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

from temporalio.client import Client
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from devserver import DevServer

from . import replayed
from .inspection import Taken
from .table import Row

COUNT = 2000
AT_ONCE = 50
QUEUE = "replays"


def measure(executable: Path, devserver: str, repeat: int, count: int = COUNT) -> Iterator[Row]:
    """Whole commands, with their start."""
    with DevServer.start(binary=executable, ui=False) as server:
        asyncio.run(_prepare(server.address, count))
        ours, stock = Taken(), Taken()
        for _ in range(repeat):
            output = ours.add(
                [devserver, "replay", replayed.__file__, "--closed", str(count), "--address", server.address]
            )
            assert f"replayed {count:,} histories" in output, output
            assert stock.add([sys.executable, replayed.__file__, server.address]) == "{}\n"
        what = f"replay of {count:,} histories of {3 * replayed.ROUNDS + 5}+ events"
        yield Row(what, ours.seconds, stock.seconds, "the SDK's Replayer", aim=1.8)
        yield Row(f"{what}: peak memory", ours.peaks, stock.peaks, "the SDK's Replayer", at_most=2, unit="MiB")


async def _prepare(address: str, count: int) -> None:
    client = await Client.connect(address)
    turns = asyncio.Semaphore(AT_ONCE)

    async def run_one() -> None:
        async with turns:
            await client.execute_workflow(replayed.Steps.run, replayed.ROUNDS, id=uuid.uuid4().hex, task_queue=QUEUE)

    worker = Worker(
        client,
        task_queue=QUEUE,
        workflows=[replayed.Steps],
        activities=[replayed.step],
        workflow_runner=UnsandboxedWorkflowRunner(),
    )
    async with worker:
        await asyncio.gather(*(run_one() for _ in range(count)))
    while (await client.count_workflows("CloseTime IS NOT NULL")).count < count:
        await asyncio.sleep(0.1)
