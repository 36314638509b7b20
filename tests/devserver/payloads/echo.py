"""Workflows that pass large values on; in a module of their own, which the workflow sandbox imports again."""

from __future__ import annotations

from datetime import timedelta

from temporalio import activity, workflow

LATER = "later"
LIMIT = timedelta(seconds=30)


@activity.defn
async def given(data: bytes) -> bytes:
    """What it was given."""
    return data


@activity.defn
async def made(size: int) -> bytes:
    """Something new."""
    return b"m" * size


@workflow.defn
class Echo:
    """Through an activity and back."""

    @workflow.run
    async def run(self, data: bytes) -> bytes:
        """What it was given."""
        return await workflow.execute_activity(given, data, start_to_close_timeout=LIMIT)


@workflow.defn
class Makes:
    """Has an activity make something, and returns it."""

    @workflow.run
    async def run(self, size: int) -> bytes:
        """What the activity made."""
        return await workflow.execute_activity(made, size, start_to_close_timeout=LIMIT)


@workflow.defn
class Grows:
    """Makes something large itself, which a workflow's code should not."""

    @workflow.run
    async def run(self, size: int) -> bytes:
        """So many bytes."""
        return b"g" * size


@workflow.defn
class Hands:
    """Hands what it was given to an activity that another worker does."""

    @workflow.run
    async def run(self, data: bytes) -> int:
        """How much came back."""
        back = await workflow.execute_activity(given, data, start_to_close_timeout=LIMIT, task_queue=LATER)
        return len(back)


@workflow.defn
class Parent:
    """Keeps what a child made: the server copies it from the child's history."""

    @workflow.run
    async def run(self, size: int) -> int:
        """How much it was."""
        return len(await workflow.execute_child_workflow(Makes.run, size, id=f"{workflow.info().workflow_id}-child"))


WORKFLOWS = [Echo, Makes, Grows, Hands, Parent]
ACTIVITIES = [given, made]
