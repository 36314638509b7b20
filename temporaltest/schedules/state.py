"""The state of a schedule on the server: how its actions were handled, its runs, and when it is due."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta

from temporalio.api.workflowservice.v1 import ListScheduleMatchingTimesRequest
from temporalio.client import Client, ScheduleHandle, WorkflowExecutionStatus
from temporalio.common import SearchAttributeKey

from devserver.client import quote, to_datetime, to_timestamp

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


async def counts(handle: ScheduleHandle) -> ActionCounts:
    """The counts now."""
    info = (await handle.describe()).raw_description.info
    return ActionCounts(info.action_count, info.overlap_skipped, info.buffer_dropped, info.buffer_size)


async def recent(client: Client, handle: ScheduleHandle) -> list[ActionRun]:
    """The last 10 runs of a schedule, oldest first."""
    actions = (await handle.describe()).raw_description.info.recent_actions
    ids = [action.start_workflow_result.workflow_id for action in actions]
    return await described(client, ids)


async def every(client: Client, handle: ScheduleHandle) -> list[ActionRun]:
    """All runs of a schedule, oldest first, once the server's list has them all."""
    query = f"TemporalScheduledById = {quote(handle.id)}"
    while True:
        ids = {workflow.id async for workflow in client.list_workflows(query)}
        if len(ids) >= (await counts(handle)).taken:
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


async def matching_times(client: Client, schedule_id: str, after: datetime, until: datetime) -> list[datetime]:
    """When a schedule is due, later than `after` and not later than `until`; the server returns at most 1,000."""
    request = ListScheduleMatchingTimesRequest(
        namespace=client.namespace,
        schedule_id=schedule_id,
        start_time=to_timestamp(after),
        end_time=to_timestamp(until),
    )
    answer = await client.workflow_service.list_schedule_matching_times(request)
    return [to_datetime(time) for time in answer.start_time]


def whole_second(moment: datetime, later_than: datetime | None) -> datetime:
    """The second of a moment; the second after `later_than`, if it is not later than that."""
    second = moment.replace(microsecond=0)
    return second if later_than is None or second > later_than else later_than + timedelta(seconds=1)
