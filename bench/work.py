"""The workflows that are measured; in a module of their own, which the workflow sandbox imports again."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from temporalio import activity, workflow

TEN = 10


@activity.defn
async def nothing() -> None:
    pass


@workflow.defn
class Empty:
    @workflow.run
    async def run(self) -> None:
        pass


@workflow.defn
class Timers:
    @workflow.run
    async def run(self) -> None:
        for _ in range(TEN):
            await asyncio.sleep(0.05)


@workflow.defn
class Activities:
    @workflow.run
    async def run(self) -> None:
        for _ in range(TEN):
            await workflow.execute_activity(nothing, start_to_close_timeout=timedelta(seconds=10))


@workflow.defn
class Children:
    @workflow.run
    async def run(self) -> None:
        for number in range(TEN):
            await workflow.execute_child_workflow(Empty.run, id=f"{workflow.info().workflow_id}-{number}")


WORKFLOWS = (Empty, Timers, Activities, Children)


@workflow.defn
class Days:
    @workflow.run
    async def run(self, count: int) -> None:
        for _ in range(count):
            await workflow.sleep(timedelta(days=1))
