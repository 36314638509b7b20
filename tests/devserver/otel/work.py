"""Workflows for tests of spans."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from temporalio import activity, workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ApplicationError

QUEUE = "spans"
LIMIT = timedelta(seconds=10)
SOON = timedelta(seconds=1)  # workflow task timeout, for a task sent to a worker that stops
QUICK = RetryPolicy(initial_interval=timedelta(milliseconds=1))


@activity.defn
async def busy() -> None:
    """Succeed at the second attempt."""
    if activity.info().attempt < 2:
        raise ApplicationError("come back later", type="Busy")


@activity.defn
async def refuse() -> None:
    """Fail without a retry."""
    raise ApplicationError("card declined", type="CardDeclined", non_retryable=True)


@workflow.defn
class Leaf:
    """A child workflow with two runs."""

    @workflow.run
    async def run(self, more: int) -> None:
        """Continue as new, then complete."""
        await workflow.execute_activity(busy, start_to_close_timeout=LIMIT, retry_policy=QUICK)
        if more:
            workflow.continue_as_new(more - 1)


@workflow.defn
class Tree:
    """An activity, a timer, a child, a signal and an update; fails if the signal says so."""

    def __init__(self) -> None:
        """Start without a signal."""
        self._go = False
        self._fail = False

    @workflow.run
    async def run(self) -> str:
        """Wait for the signal."""
        await asyncio.sleep(0.01)
        child_id = f"{workflow.info().workflow_id}-leaf"
        await workflow.execute_child_workflow(Leaf.run, 1, id=child_id, task_timeout=SOON)
        await workflow.wait_condition(lambda: self._go)
        if self._fail:
            await workflow.execute_activity(refuse, start_to_close_timeout=LIMIT)
        return "done"

    @workflow.signal
    def go(self, fail: bool) -> None:
        """Let the workflow end."""
        self._go, self._fail = True, fail

    @workflow.update
    def name(self, name: str) -> str:
        """Return the argument."""
        return name


@workflow.defn
class Rolls:
    """Start a child in the second run that outlives it, and wait in the third."""

    @workflow.run
    async def run(self, left: int) -> None:
        """Continue as new, or wait."""
        if left == 1:
            child_id = f"{workflow.info().workflow_id}-child"
            abandon = workflow.ParentClosePolicy.ABANDON
            await workflow.start_child_workflow(Tree.run, id=child_id, parent_close_policy=abandon)
        if left:
            workflow.continue_as_new(left - 1)
        await asyncio.Event().wait()


@workflow.defn
class Stubborn:
    """Complete when cancelled."""

    @workflow.run
    async def run(self) -> str:
        """Wait for the cancellation."""
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            return "stubborn"
        return "never"

    @workflow.query
    def asked(self) -> bool:
        """Return true once the worker runs the workflow."""
        return True


WORKFLOWS = [Tree, Leaf, Rolls, Stubborn]
ACTIVITIES = [busy, refuse]
