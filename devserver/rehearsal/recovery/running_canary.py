"""The activity that runs a whole workflow on a cluster."""

from __future__ import annotations

import asyncio
import time
import uuid
from datetime import timedelta

from temporalio import activity, workflow
from temporalio.client import Client, WorkflowFailureError
from temporalio.common import WorkflowIDConflictPolicy
from temporalio.exceptions import ApplicationError
from temporalio.service import RetryConfig, RPCError
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from .access import HEARTBEAT_SECONDS, patient

GRACE_SECONDS = 3.0  # for its worker to end
CANARY = "devserver-canary-run"


@workflow.defn(name=CANARY)
class CanaryWorkflow:
    """Ends at once."""

    @workflow.run
    async def run(self) -> None:
        """Wait for a short timer."""
        await workflow.sleep(0.1)


@activity.defn
async def canary_run(address: str = "", namespace: str = "", deadline: float = 10.0) -> float:
    """Run a workflow with a timer on a worker of its own; the seconds until it has completed.

    It shows what `canary` shows, and that matching works and timers fire: an acknowledged start may never run.
    Each attempt runs a workflow of its own, of the type `devserver-canary-run`; it heartbeats every second.

    Args:
        address: HOST:PORT of a frontend; the patient's if empty.
        namespace: The namespace; the patient's if empty.
        deadline: Seconds for all of it.

    Raises:
        ApplicationError: It did not complete in time; retryable.
    """
    if not address or not namespace:
        found = patient()
        address, namespace = address or found["address"], namespace or found["namespace"]
    begin = time.monotonic()
    running = asyncio.ensure_future(_run(address, namespace, deadline))
    try:
        while not (await asyncio.wait({running}, timeout=HEARTBEAT_SECONDS))[0]:
            activity.heartbeat()
            if time.monotonic() - begin > deadline + GRACE_SECONDS:
                running.cancel()
    finally:
        running.cancel()
    try:
        await asyncio.wait({running})
        if running.cancelled():
            raise asyncio.TimeoutError("its worker ended or hangs")
        running.result()
    except (RPCError, RuntimeError, WorkflowFailureError, asyncio.TimeoutError) as error:
        raise ApplicationError(f"the canary did not complete within {deadline:g} s: {error!r}") from error
    return time.monotonic() - begin


async def _run(address: str, namespace: str, deadline: float) -> None:
    end = time.monotonic() + deadline

    def left() -> float:
        return max(0.1, end - time.monotonic())

    client = await asyncio.wait_for(
        Client.connect(address, namespace=namespace, retry_config=RetryConfig(max_retries=1)), left()
    )
    queue = f"{CANARY}-{uuid.uuid4()}"
    async with Worker(
        client,
        task_queue=queue,
        workflows=[CanaryWorkflow],
        workflow_runner=UnsandboxedWorkflowRunner(),
        graceful_shutdown_timeout=timedelta(0),
    ):
        handle = await client.start_workflow(
            CanaryWorkflow.run,
            id=queue,
            task_queue=queue,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            execution_timeout=timedelta(seconds=left()),
            rpc_timeout=timedelta(seconds=min(5.0, left())),
        )
        await asyncio.wait_for(handle.result(), left())
