"""Runbooks whose activities are not in the history of their first run."""

from __future__ import annotations

from datetime import timedelta

from temporalio import activity, workflow
from temporalio.common import RetryPolicy

from devserver.rehearsal import ledger

LIMIT = timedelta(seconds=1)
SOON = RetryPolicy(initial_interval=timedelta(milliseconds=50))


@activity.defn
async def tell(what: str) -> None:
    """Have an effect, again in every attempt."""
    ledger.effect("tell", key=what)


@workflow.defn
class Child:
    """A child with one step."""

    @workflow.run
    async def run(self) -> None:
        """Run the step."""
        await workflow.execute_activity(tell, "child", start_to_close_timeout=LIMIT, retry_policy=SOON)


@workflow.defn
class Parent:
    """A parent that leaves everything to a child."""

    @workflow.run
    async def run(self) -> None:
        """Run the child."""
        child = f"{workflow.info().workflow_id}-child"
        await workflow.execute_child_workflow(Child.run, id=child, task_timeout=LIMIT)


@workflow.defn
class Continued:
    """A workflow that acts in its second run."""

    @workflow.run
    async def run(self, second: bool = False) -> None:
        """Continue as new, or run the step."""
        if not second:
            workflow.continue_as_new(True)
        await workflow.execute_activity(tell, "later", start_to_close_timeout=LIMIT, retry_policy=SOON)
