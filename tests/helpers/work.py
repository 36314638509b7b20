"""Workflows with activities, timers and signals, and a worker for them."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from temporalio import activity, workflow
from temporalio.client import Client
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

QUEUE = "work"
STEPS = 3


@activity.defn
async def greet(name: str) -> str:
    """A step of work."""
    return f"Hello, {name}!"


@workflow.defn
class Hello:
    """The hello world."""

    @workflow.run
    async def run(self, name: str) -> str:
        """Greet."""
        return await workflow.execute_activity(greet, name, start_to_close_timeout=timedelta(seconds=30))


@workflow.defn
class Order:
    """Does some steps, keeps every number it is told, and ends when it is told to."""

    def __init__(self) -> None:
        self.told: list[int] = []
        self.ended = False

    @workflow.run
    async def run(self) -> list[int]:
        """Activities, timers and signals; what it was told."""
        for step in range(STEPS):
            await workflow.execute_activity(greet, str(step), start_to_close_timeout=timedelta(seconds=30))
            await asyncio.sleep(0.1)
        await workflow.wait_condition(lambda: self.ended)
        await workflow.execute_activity(greet, "end", start_to_close_timeout=timedelta(seconds=30))
        return self.told

    @workflow.signal
    def tell(self, number: int) -> None:
        """Keep a number."""
        self.told.append(number)

    @workflow.signal
    def end(self) -> None:
        """Enough."""
        self.ended = True


def worker(client: Client) -> Worker:
    """A worker for all of the above."""
    return Worker(
        client,
        task_queue=QUEUE,
        workflows=[Hello, Order],
        activities=[greet],
        workflow_runner=UnsandboxedWorkflowRunner(),
    )
