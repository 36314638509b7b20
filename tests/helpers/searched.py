"""Workflows with failing steps to search for, and a worker for them."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

from temporalio import activity, workflow
from temporalio.client import Client
from temporalio.common import RetryPolicy
from temporalio.exceptions import ApplicationError
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

QUEUE = "searched"
WORKER = "worker-7@shop"
LIMIT = timedelta(seconds=30)
THRICE = RetryPolicy(initial_interval=timedelta(milliseconds=10), backoff_coefficient=1, maximum_attempts=3)
FOR_EVER = RetryPolicy(initial_interval=timedelta(minutes=10))


@activity.defn
async def charge(message: str, attempts: int) -> None:
    """Fail with this message until that attempt."""
    if message and activity.info().attempt < attempts:
        raise ApplicationError(message, type="CardError") from ValueError("the bank is closed")


@activity.defn
async def pack() -> None:
    """Succeed."""


@workflow.defn
class Pays:
    """Charge and pack, without failing."""

    @workflow.run
    async def run(self, message: str, attempts: int = 9) -> None:
        """Ignore a failed charge."""
        how: dict[str, Any] = {"start_to_close_timeout": LIMIT, "retry_policy": THRICE}
        await asyncio.gather(workflow.execute_activity(charge, args=[message, attempts], **how), return_exceptions=True)
        await workflow.execute_activity(pack, start_to_close_timeout=LIMIT)


@workflow.defn
class Waits:
    """Charge, with minutes between attempts."""

    @workflow.run
    async def run(self, message: str) -> None:
        """Stay open."""
        await workflow.execute_activity(
            charge, args=[message, 9], start_to_close_timeout=LIMIT, retry_policy=FOR_EVER, summary="the long one"
        )


@workflow.defn
class Many:
    """Fail with the failure of the last charge."""

    @workflow.run
    async def run(self, message: str, count: int) -> None:
        """Start charges at once, which all fail at once."""
        once = RetryPolicy(maximum_attempts=1)
        texts = [f"{message} {number}" for number in range(count)]
        charges = (
            workflow.execute_activity(charge, args=[text, 9], start_to_close_timeout=LIMIT, retry_policy=once)
            for text in texts
        )
        done = await asyncio.gather(*charges, return_exceptions=True)
        failed = next(outcome for outcome in done if isinstance(outcome, BaseException))
        raise failed


def worker(client: Client, **more: Any) -> Worker:
    """A worker for these workflows, with a fixed identity and build."""
    return Worker(
        client,
        task_queue=QUEUE,
        workflows=[Pays, Waits, Many],
        activities=[charge, pack],
        workflow_runner=UnsandboxedWorkflowRunner(),
        identity=WORKER,
        build_id="build-1",
        graceful_shutdown_timeout=timedelta(0),
        **more,
    )
