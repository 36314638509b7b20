"""Workflows that get stuck in every way, and workers for them, also as a process that can be frozen or killed.

Run as a program with an address, a task queue and the number of cached workflows, it runs a worker until it is killed.
"""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
import sys
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any

from temporalio import activity, workflow
from temporalio.client import Client
from temporalio.common import RetryPolicy
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from tests.helpers.checkout import ROOT

QUEUE = "trouble"
NEVER = timedelta(hours=1)
SOON = RetryPolicy(initial_interval=timedelta(seconds=0.1), backoff_coefficient=1)
LATER = RetryPolicy(initial_interval=timedelta(minutes=10))


@activity.defn
async def fail() -> None:
    """Always fail."""
    raise ValueError("the disk is full\nsecond line")


@activity.defn
async def hang() -> None:
    """Never end."""
    await asyncio.Event().wait()


@workflow.defn
class Calls:
    """Execute one activity by name."""

    @workflow.run
    async def run(self, name: str, queue: str | None = None) -> None:
        """Retry it soon and forever."""
        await workflow.execute_activity(name, task_queue=queue, start_to_close_timeout=NEVER, retry_policy=SOON)


@workflow.defn
class CallsSeldom:
    """Execute a failing activity whose next attempt is minutes away."""

    @workflow.run
    async def run(self) -> None:
        """Fail once."""
        await workflow.execute_activity(fail, start_to_close_timeout=NEVER, retry_policy=LATER)


@workflow.defn
class Broken:
    """A workflow whose code has a bug."""

    @workflow.run
    async def run(self) -> None:
        """Fail the workflow task."""
        raise RuntimeError("a bug in the workflow")


@workflow.defn(name="Broken")
class Fixed:
    """The workflow without the bug."""

    @workflow.run
    async def run(self) -> None:
        """Complete."""


@workflow.defn
class Sleeps:
    """Wait for a timer, and then for a signal."""

    def __init__(self) -> None:
        self.released = False

    @workflow.run
    async def run(self, seconds: float) -> None:
        """Sleep."""
        await workflow.sleep(seconds)
        await workflow.wait_condition(lambda: self.released)

    @workflow.signal
    def tell(self) -> None:
        """Let the workflow end."""
        self.released = True


@workflow.defn(name="Sleeps")
class Changed:
    """`Sleeps` with other steps, which do not match its history."""

    @workflow.run
    async def run(self, seconds: float) -> None:
        """Execute an activity instead."""
        await workflow.execute_activity(hang, start_to_close_timeout=timedelta(seconds=seconds))

    @workflow.signal
    def tell(self) -> None:
        """Ignore the signal."""


WORKFLOWS: Sequence[type] = (Calls, CallsSeldom, Broken, Sleeps)


def worker(client: Client, *, workflows: Sequence[type] = WORKFLOWS, queue: str = QUEUE, **more: Any) -> Worker:
    """A worker for these workflows, without a cache, so that another worker can take over at once."""
    return Worker(
        client,
        task_queue=queue,
        workflows=workflows,
        activities=[fail, hang],
        workflow_runner=UnsandboxedWorkflowRunner(),
        graceful_shutdown_timeout=timedelta(0),
        **{"max_cached_workflows": 0, **more},
    )


@contextlib.contextmanager
def worker_process(
    address: str,
    module: str = "tests.helpers.trouble",
    *,
    queue: str = QUEUE,
    cached: int = 0,
    namespace: str = "default",
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a worker in its own process; kill it at the end of the block. Its identity is the name of the queue."""
    words = [sys.executable, "-m", module, address, queue, str(cached), namespace]
    with subprocess.Popen(words, cwd=ROOT, stderr=subprocess.DEVNULL) as process:
        try:
            yield process
        finally:
            process.kill()


async def _serve(address: str, queue: str, cached: str, namespace: str) -> None:
    client = await Client.connect(address, namespace=namespace, identity=queue)
    sticky = timedelta(seconds=1)
    async with worker(
        client,
        queue=queue,
        max_cached_workflows=int(cached),
        sticky_queue_schedule_to_start_timeout=sticky,
    ):
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_serve(*sys.argv[1:5]))
