"""`devserver stuck` over many open workflows: time and memory of the whole, and the time until the first finding."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from google.protobuf.duration_pb2 import Duration
from temporalio.api.command.v1 import Command, StartTimerCommandAttributes
from temporalio.api.enums.v1 import CommandType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import PollWorkflowTaskQueueRequest, RespondWorkflowTaskCompletedRequest
from temporalio.client import Client

from devserver import DevServer
from devserver.stuck import StuckProgress, Thresholds, find_stuck

from .inspection import Taken
from .table import Row

LANES = 32
QUEUE, NOBODY = "bench-open", "bench-nobody"
BLOCKED = 20  # among the others: they wait for a worker
MINUTE, FIRST, MEMORY = 60.0, 5.0, 300.0
TASK = timedelta(seconds=60)


def measure(executable: Path, devserver: str, repeat: int, count: int) -> Iterator[Row]:
    """The rows; the aims are for 100,000 workflows."""
    with DevServer.start(binary=executable, ui=False) as server:
        begin = time.perf_counter()
        asyncio.run(_fill(server.address, count))
        print(f"{count:,} open workflows after {time.perf_counter() - begin:.0f} s", file=sys.stderr)
        taken, few, first = Taken(), Taken(), []
        for _ in range(repeat):
            words = [devserver, "stuck", "--address", server.address, "--max-workflows"]
            assert "no worker" in taken.add([*words, str(count + BLOCKED)], status=1)
            few.add([*words, "1000"], status=1)
            first.append(asyncio.run(_first(server.address, count)))
        what, share = f"stuck over {count:,} open workflows", count / 100_000
        yield Row(what, taken.seconds, [MINUTE * share] * repeat, f"{MINUTE * share:g} s", at_most=1)
        yield Row(f"{what}: first finding", first, [FIRST] * repeat, f"{FIRST:g} s", at_most=1)
        yield Row(f"{what}: peak memory", taken.peaks, few.peaks, "over 1,000", at_most=2, unit="MiB")


async def _first(address: str, count: int) -> float:
    """Seconds until something is found."""
    client = await Client.connect(address)
    begin, found = time.perf_counter(), asyncio.Event()

    def look(progress: StuckProgress) -> None:
        if progress.found:
            found.set()

    soon = Thresholds(waiting=timedelta(0))
    search = asyncio.ensure_future(find_stuck(client, limit=count + BLOCKED, thresholds=soon, on_progress=look))
    await asyncio.wait([search, asyncio.ensure_future(found.wait())], return_when=asyncio.FIRST_COMPLETED)
    search.cancel()
    assert found.is_set()
    return time.perf_counter() - begin


async def _fill(address: str, count: int) -> None:
    """Start the workflows: most wait for a timer of a day, some for a worker."""
    client = await Client.connect(address)
    numbers = iter(range(count))

    async def lane() -> None:
        for number in numbers:
            await client.start_workflow("Bulk", id=f"open-{number}", task_queue=QUEUE, task_timeout=TASK)

    answered, done = [0], asyncio.Event()

    async def answers() -> None:
        while answered[0] < count:
            await _answer(client, answered)
        done.set()

    for number in range(BLOCKED):
        await client.start_workflow("Bulk", id=f"blocked-{number}", task_queue=NOBODY)
    workers = [asyncio.ensure_future(answers()) for _ in range(LANES)]
    await asyncio.gather(*(lane() for _ in range(LANES)))
    await done.wait()
    for worker in workers:
        worker.cancel()
    await asyncio.gather(*workers, return_exceptions=True)
    while (await client.count_workflows("ExecutionStatus = 'Running'")).count < count + BLOCKED:
        await asyncio.sleep(0.1)


async def _answer(client: Client, answered: list[int]) -> None:
    """Answer a workflow task with a timer; a poll may end without a task."""
    poll = PollWorkflowTaskQueueRequest(namespace=client.namespace, task_queue=TaskQueue(name=QUEUE), identity="bench")
    task = await client.workflow_service.poll_workflow_task_queue(poll, timeout=TASK * 2)
    if not task.task_token:
        return
    timer = StartTimerCommandAttributes(timer_id="1", start_to_fire_timeout=Duration(seconds=86400))
    command = Command(command_type=CommandType.COMMAND_TYPE_START_TIMER, start_timer_command_attributes=timer)
    answer = RespondWorkflowTaskCompletedRequest(
        namespace=client.namespace, task_token=task.task_token, commands=[command], identity="bench"
    )
    await client.workflow_service.respond_workflow_task_completed(answer)
    answered[0] += 1
