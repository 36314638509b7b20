"""Workflows that do everything a trace shows, and a worker for them."""

from __future__ import annotations

import asyncio
import contextlib
from datetime import timedelta

import nexusrpc
from temporalio import activity, nexus, workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ApplicationError

QUEUE = "traced"
LIMIT = timedelta(seconds=30)
SOON = RetryPolicy(initial_interval=timedelta(milliseconds=10), backoff_coefficient=1, maximum_attempts=3)
LATER = RetryPolicy(initial_interval=timedelta(minutes=10))
ENDPOINT = "trace-endpoint"


@activity.defn
async def greet(name: str) -> str:
    """Succeeds."""
    return f"hello {name}"


@activity.defn
async def flaky(until: int) -> int:
    """Succeeds at that attempt."""
    if activity.info().attempt < until:
        raise ApplicationError("not yet\nsecond line", type="Busy")
    return until


@activity.defn
async def hang() -> None:
    """Never ends."""
    await asyncio.Event().wait()


@workflow.defn
class Leaf:
    """A child."""

    @workflow.run
    async def run(self, name: str) -> str:
        """Greets; fails for `bad`, continues as new once for `again`."""
        if name == "bad":
            await workflow.execute_activity(flaky, 9, start_to_close_timeout=LIMIT, retry_policy=SOON)
        if name == "again":
            workflow.continue_as_new("last")
        return await workflow.execute_activity(greet, name, start_to_close_timeout=LIMIT)


@nexusrpc.service
class Shop:
    """What others can ask for."""

    buy: nexusrpc.Operation[str, str]


@nexusrpc.handler.service_handler(service=Shop)
class ShopHandler:
    """Buys by a workflow."""

    @nexus.workflow_run_operation
    async def buy(self, context: nexus.WorkflowRunOperationContext, what: str) -> nexus.WorkflowHandle[str]:
        """Started as a leaf."""
        return await context.start_workflow(Leaf.run, what, id=f"nexus-{what}-{context.request_id}")


@workflow.defn
class Everything:
    """Has one of each step."""

    def __init__(self) -> None:
        """Not told."""
        self.told = ""

    @workflow.run
    async def run(self, endpoint: str) -> str:
        """In order, so that a test can tell."""
        here = workflow.info().workflow_id
        await workflow.execute_activity(greet, "ann", start_to_close_timeout=LIMIT, summary="the first")
        await workflow.execute_activity(flaky, 2, start_to_close_timeout=LIMIT, retry_policy=SOON)
        try:
            await workflow.execute_activity(flaky, 9, start_to_close_timeout=LIMIT, retry_policy=SOON)
        except Exception:  # noqa: BLE001 - a failure that the workflow handles
            workflow.upsert_memo({"failed": True})
        await workflow.execute_local_activity(greet, "local", start_to_close_timeout=LIMIT)
        workflow.patched("patch-1")
        await workflow.sleep(timedelta(milliseconds=10))
        await workflow.wait_condition(lambda: bool(self.told))
        await workflow.execute_child_workflow(Leaf.run, "again", id=f"{here}-again")
        try:
            await workflow.execute_child_workflow(Leaf.run, "bad", id=f"{here}-bad")
        except Exception:  # noqa: BLE001 - as above
            with contextlib.suppress(Exception):
                await workflow.get_external_workflow_handle("nobody").cancel()
        return self.told

    @workflow.signal
    def tell(self, what: str) -> None:
        """Go on."""
        self.told = what

    @workflow.update
    async def ask(self, what: str) -> str:
        """Answers, after some time."""
        await workflow.sleep(timedelta(milliseconds=1))
        if what == "no":
            raise ApplicationError("asked too much", type="No")
        return f"{what}?"

    @ask.validator
    def check(self, what: str) -> None:
        """Refuses nothing said."""
        if not what:
            raise ApplicationError("say something")
