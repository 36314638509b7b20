"""Workflows that get stuck in every way there is, and workers for them, also as a process that can be frozen or killed.

Run as a program with an address, it is such a worker until it is ended.
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
    """Never succeeds."""
    raise ValueError("the disk is full\nsecond line")


@activity.defn
async def hang() -> None:
    """Never ends."""
    await asyncio.Event().wait()


@workflow.defn
class Calls:
    """Executes one activity by its name."""

    @workflow.run
    async def run(self, name: str, queue: str | None = None) -> None:
        """Retried soon and for ever."""
        await workflow.execute_activity(name, task_queue=queue, start_to_close_timeout=NEVER, retry_policy=SOON)


@workflow.defn
class CallsSeldom:
    """Executes a failing activity whose next attempt is minutes away."""

    @workflow.run
    async def run(self) -> None:
        """Fails once."""
        await workflow.execute_activity(fail, start_to_close_timeout=NEVER, retry_policy=LATER)


@workflow.defn
class Broken:
    """Its code raises what is no failure of the workflow."""

    @workflow.run
    async def run(self) -> None:
        """The task fails."""
        raise RuntimeError("a bug in the workflow")


@workflow.defn(name="Broken")
class Mended:
    """The same with its bug removed."""

    @workflow.run
    async def run(self) -> None:
        """Ends."""


@workflow.defn
class Sleeps:
    """Waits for a timer, and then for a signal."""

    def __init__(self) -> None:
        self.told = False

    @workflow.run
    async def run(self, seconds: float) -> None:
        """Sleep."""
        await workflow.sleep(seconds)
        await workflow.wait_condition(lambda: self.told)

    @workflow.signal
    def tell(self) -> None:
        """Enough."""
        self.told = True


@workflow.defn(name="Sleeps")
class Changed:
    """The same with other steps: it does not fit the history of one that sleeps."""

    @workflow.run
    async def run(self, seconds: float) -> None:
        """Call instead."""
        await workflow.execute_activity(hang, start_to_close_timeout=timedelta(seconds=seconds))

    @workflow.signal
    def tell(self) -> None:
        """Ignored."""


WORKFLOWS: Sequence[type] = (Calls, CallsSeldom, Broken, Sleeps)


def worker(client: Client, *, workflows: Sequence[type] = WORKFLOWS, queue: str = QUEUE, **more: Any) -> Worker:
    """A worker for all of the above; it keeps no workflow in its cache, so that another can take over at once."""
    return Worker(
        client,
        task_queue=queue,
        workflows=workflows,
        activities=[fail, hang],
        workflow_runner=UnsandboxedWorkflowRunner(),
        max_cached_workflows=0,
        graceful_shutdown_timeout=timedelta(0),
        **more,
    )


@contextlib.contextmanager
def worker_process(address: str, module: str = "tests.helpers.trouble") -> Iterator[subprocess.Popen[bytes]]:
    """A worker in a process of its own, as the module is when it is run; killed at the end."""
    words = [sys.executable, "-m", module, address]
    with subprocess.Popen(words, cwd=ROOT, stderr=subprocess.DEVNULL) as process:
        try:
            yield process
        finally:
            process.kill()


async def _serve(address: str) -> None:
    async with worker(await Client.connect(address)):
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_serve(sys.argv[1]))
