"""Runbooks whose activities are not those of their first history."""

from __future__ import annotations

from datetime import timedelta

from temporalio import activity, workflow
from temporalio.common import RetryPolicy

from devserver.rehearsal import ledger

LIMIT = timedelta(seconds=1)
SOON = RetryPolicy(initial_interval=timedelta(milliseconds=50))


@activity.defn
async def tell(what: str) -> None:
    """Tell somebody, and tell him again when it is tried again."""
    ledger.effect("tell", key=what)


@workflow.defn
class Child:
    """One step."""

    @workflow.run
    async def run(self) -> None:
        """Do it."""
        await workflow.execute_activity(tell, "child", start_to_close_timeout=LIMIT, retry_policy=SOON)


@workflow.defn
class Parent:
    """All is done by a child."""

    @workflow.run
    async def run(self) -> None:
        """Have it done."""
        child = f"{workflow.info().workflow_id}-child"
        await workflow.execute_child_workflow(Child.run, id=child, task_timeout=LIMIT)


@workflow.defn
class Continued:
    """Acts in its second run."""

    @workflow.run
    async def run(self, second: bool = False) -> None:
        """Go on, or do it."""
        if not second:
            workflow.continue_as_new(True)
        await workflow.execute_activity(tell, "later", start_to_close_timeout=LIMIT, retry_policy=SOON)
