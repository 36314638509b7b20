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
    """Run a step."""
    return f"Hello, {name}!"


@workflow.defn
class Hello:
    """The hello world workflow."""

    @workflow.run
    async def run(self, name: str) -> str:
        """Greet."""
        return await workflow.execute_activity(greet, name, start_to_close_timeout=timedelta(seconds=30))


@workflow.defn
class Order:
    """Run some steps, record every number that is signaled, and end on a signal."""

    def __init__(self) -> None:
        self.numbers: list[int] = []
        self.ended = False

    @workflow.run
    async def run(self) -> list[int]:
        """Return the signaled numbers, after activities and timers."""
        for step in range(STEPS):
            await workflow.execute_activity(greet, str(step), start_to_close_timeout=timedelta(seconds=30))
            await asyncio.sleep(0.1)
        await workflow.wait_condition(lambda: self.ended)
        await workflow.execute_activity(greet, "end", start_to_close_timeout=timedelta(seconds=30))
        return self.numbers

    @workflow.signal
    def tell(self, number: int) -> None:
        """Record a number."""
        self.numbers.append(number)

    @workflow.signal
    def end(self) -> None:
        """End the workflow."""
        self.ended = True


def worker(client: Client) -> Worker:
    """A worker for these workflows."""
    return Worker(
        client,
        task_queue=QUEUE,
        workflows=[Hello, Order],
        activities=[greet],
        workflow_runner=UnsandboxedWorkflowRunner(),
    )
