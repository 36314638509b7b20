"""Fixtures for schedules: a server, and a worker for runs of a given length."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from temporalio import workflow
from temporalio.client import Client
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

QUEUE = "lasting"


@workflow.defn
class Lasts:
    """A run of a given length."""

    @workflow.run
    async def run(self, seconds: float) -> None:
        """Sleep."""
        await workflow.sleep(seconds)


@workflow.defn
class Held:
    """A run that ends when it is released."""

    def __init__(self) -> None:
        self._released = False

    @workflow.run
    async def run(self, slow: bool) -> None:
        """Wait; with `slow` keep waiting after the cancellation."""
        try:
            await workflow.wait_condition(lambda: self._released)
        except asyncio.CancelledError:
            if slow:
                await workflow.wait_condition(lambda: self._released)
            raise

    @workflow.signal
    def release(self) -> None:
        """End the run."""
        self._released = True


def worker(client: Client) -> Worker:
    """A worker for these runs."""
    return Worker(
        client,
        task_queue=QUEUE,
        workflows=[Lasts, Held],
        workflow_runner=UnsandboxedWorkflowRunner(),
        graceful_shutdown_timeout=timedelta(0),
    )
