"""Workflows that pass large values; in a module of their own, which the workflow sandbox imports again."""

from __future__ import annotations

from datetime import timedelta

from temporalio import activity, workflow

LATER = "later"
LIMIT = timedelta(seconds=30)


@activity.defn
async def echo(data: bytes) -> bytes:
    """Return the argument."""
    return data


@activity.defn
async def make(size: int) -> bytes:
    """Return new data."""
    return b"m" * size


@workflow.defn
class Echo:
    """Passes its argument through an activity."""

    @workflow.run
    async def run(self, data: bytes) -> bytes:
        """Return the argument."""
        return await workflow.execute_activity(echo, data, start_to_close_timeout=LIMIT)


@workflow.defn
class Makes:
    """Returns data of an activity."""

    @workflow.run
    async def run(self, size: int) -> bytes:
        """Return the data of the activity."""
        return await workflow.execute_activity(make, size, start_to_close_timeout=LIMIT)


@workflow.defn
class Grows:
    """Makes large data in workflow code, which a workflow should not do."""

    @workflow.run
    async def run(self, size: int) -> bytes:
        """Return `size` bytes."""
        return b"g" * size


@workflow.defn
class PassesOn:
    """Passes its argument to an activity of another worker."""

    @workflow.run
    async def run(self, data: bytes) -> int:
        """Return the size of the activity's result."""
        result = await workflow.execute_activity(echo, data, start_to_close_timeout=LIMIT, task_queue=LATER)
        return len(result)


@workflow.defn
class Parent:
    """Gets data from a child: the server copies the reference from the child's history."""

    @workflow.run
    async def run(self, size: int) -> int:
        """Return the size of the child's result."""
        return len(await workflow.execute_child_workflow(Makes.run, size, id=f"{workflow.info().workflow_id}-child"))


WORKFLOWS = [Echo, Makes, Grows, PassesOn, Parent]
ACTIVITIES = [echo, make]
