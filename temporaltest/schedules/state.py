"""The state of a schedule on the server: how its actions were handled, its runs, and when it is due."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta

from temporalio.client import Client, ScheduleHandle, WorkflowExecutionStatus
from temporalio.common import SearchAttributeKey

from devserver.client import quote
from devserver.schedules import describe_schedule

POLL_SECONDS = 0.01
SCHEDULED_AT = SearchAttributeKey.for_datetime("TemporalScheduledStartTime")


@dataclass(frozen=True)
class ActionCounts:
    """How a schedule's actions were handled so far."""

    taken: int
    skipped: int
    dropped: int
    buffered: int

    @property
    def handled(self) -> int:
        """Actions that were started, skipped or dropped."""
        return self.taken + self.skipped + self.dropped


@dataclass(frozen=True)
class ActionRun:
    """One workflow that a schedule started; `scheduled_at` is when it was due. Times have the time zone UTC."""

    workflow_id: str
    run_id: str
    scheduled_at: datetime
    started_at: datetime
    closed_at: datetime | None
    status: WorkflowExecutionStatus


async def counts(client: Client, handle: ScheduleHandle) -> ActionCounts:
    """The counts now."""
    found = await describe_schedule(client, handle.id)
    return ActionCounts(found.actions, found.skipped, found.dropped, found.buffered)


async def recent(client: Client, handle: ScheduleHandle) -> list[ActionRun]:
    """The last 10 runs of a schedule, oldest first."""
    found = await describe_schedule(client, handle.id)
    return await described(client, [run.workflow_id for run in found.recent])


async def every(client: Client, handle: ScheduleHandle) -> list[ActionRun]:
    """All runs of a schedule, oldest first, once the server's list has them all."""
    query = f"TemporalScheduledById = {quote(handle.id)}"
    while True:
        ids = {workflow.id async for workflow in client.list_workflows(query)}
        if len(ids) >= (await counts(client, handle)).taken:
            return await described(client, sorted(ids))
        await asyncio.sleep(POLL_SECONDS)


async def described(client: Client, ids: list[str]) -> list[ActionRun]:
    """The runs of these workflows, in the order of their start."""
    runs = await asyncio.gather(*(_run(client, workflow_id) for workflow_id in ids))
    return sorted(runs, key=lambda run: (run.started_at, run.scheduled_at))


async def _run(client: Client, workflow_id: str) -> ActionRun:
    found = await client.get_workflow_handle(workflow_id).describe()
    return ActionRun(
        workflow_id=found.id,
        run_id=found.run_id,
        scheduled_at=found.typed_search_attributes[SCHEDULED_AT],
        started_at=found.start_time,
        closed_at=found.close_time,
        status=found.status or WorkflowExecutionStatus.RUNNING,
    )


def whole_second(moment: datetime, later_than: datetime | None) -> datetime:
    """The second of a moment; the second after `later_than`, if it is not later than that."""
    second = moment.replace(microsecond=0)
    return second if later_than is None or second > later_than else later_than + timedelta(seconds=1)
