"""`temporal_schedules.aio`: the calls of `temporal_schedules`, to be awaited in any event loop."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any, TypeVar

from temporalio.api.enums.v1 import ScheduleOverlapPolicy as Wire
from temporalio.api.schedule.v1 import SchedulePatch, TriggerImmediatelyRequest
from temporalio.client import (
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleBackfill,
    ScheduleHandle,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleSpec,
    ScheduleState,
)
from temporalio.service import RPCError

from devserver.client import to_timestamp
from devserver.schedules import ScheduleCalls

from ..errors import SetupError
from .overlap import EVERY_HOUR, Finish, Overlap, OverlapTrial, due_times
from .state import POLL_SECONDS, ActionCounts, ActionRun, counts, every, recent, whole_second

if TYPE_CHECKING:
    from ..isolation.context import CaseContext

T = TypeVar("T")
Workflow = str | Callable[..., Awaitable[Any]]

CENTURY = timedelta(days=36525)
MAX_TIMES = 1000
SPARE_SECONDS = 10.0


class AsyncSchedules:
    """`temporal_schedules.aio`: the same calls for async tests, to be awaited in any event loop."""

    def __init__(self, case: CaseContext) -> None:
        self._case = case
        self._numbers = itertools.count(1)
        self._triggered: dict[str, datetime] = {}

    async def create(
        self,
        spec: ScheduleSpec | str,
        workflow: Workflow,
        /,
        *arguments: Any,
        overlap: ScheduleOverlapPolicy = ScheduleOverlapPolicy.SKIP,
        paused: bool = True,
        id: str | None = None,  # noqa: A002 - the SDK's name
        **options: Any,
    ) -> ScheduleHandle:
        """See `Schedules.create`."""
        slot = self._case.slot
        name = id or f"{slot.id_prefix}schedule-{next(self._numbers)}"
        options = {"id": f"{name}-run", "task_queue": slot.task_queue, "args": list(arguments), **options}
        schedule = Schedule(
            action=ScheduleActionStartWorkflow(workflow, **options),
            spec=ScheduleSpec(cron_expressions=[spec]) if isinstance(spec, str) else spec,
            policy=SchedulePolicy(overlap=overlap),
            state=ScheduleState(paused=paused),
        )
        try:
            return await self._case.client.create_schedule(name, schedule)
        except RPCError as error:
            raise SetupError(f"the server rejects the schedule {name}: {error.message}") from error

    async def next_times(
        self, spec: ScheduleSpec | str | ScheduleHandle, count: int = 10, *, after: datetime | None = None
    ) -> list[datetime]:
        """See `Schedules.next_times`."""
        since = _in_zone(after or datetime.now(timezone.utc))
        if not 1 <= count <= MAX_TIMES:
            raise SetupError(f"count must be 1 to {MAX_TIMES}, not {count}")
        if isinstance(spec, ScheduleHandle):
            return await self._due(spec, since, since + CENTURY, count)
        handle = await self.create(spec, "never-started")
        try:
            return await self._due(handle, since, since + CENTURY, count)
        finally:
            await handle.delete()

    async def trigger(
        self, handle: ScheduleHandle, *, overlap: ScheduleOverlapPolicy | None = None
    ) -> ActionRun | None:
        """See `Schedules.trigger`."""
        client = self._case.client
        before = await counts(client, handle)
        known = {run.workflow_id for run in await recent(client, handle)}
        # The server identifies runs by the second they are due: the SDK's trigger loses one of two in a second.
        when = whole_second(datetime.now(timezone.utc), self._triggered.get(handle.id))
        self._triggered[handle.id] = when
        request = TriggerImmediatelyRequest(
            overlap_policy=Wire.ValueType(overlap or 0),
            scheduled_time=to_timestamp(when),
        )
        await ScheduleCalls(client).patch(handle.id, SchedulePatch(trigger_immediately=request))
        dealt = await self._until(handle, lambda now: now.handled > before.handled, "to start its triggered run")
        if dealt.taken == before.taken:
            return None
        return next(run for run in reversed(await recent(client, handle)) if run.workflow_id not in known)

    async def backfill(
        self,
        handle: ScheduleHandle,
        start: datetime,
        end: datetime,
        *,
        overlap: ScheduleOverlapPolicy | None = None,
    ) -> list[ActionRun]:
        """See `Schedules.backfill`."""
        after = _in_zone(start) - timedelta(microseconds=1)
        due = await self._due(handle, after, _in_zone(end))
        if not 0 < len(due) < MAX_TIMES:
            raise SetupError(
                f"the schedule {handle.id} is due {len(due)} times from {start} to {end}; "
                f"a backfill needs 1 to {MAX_TIMES - 1} times"
            )
        before = await counts(self._case.client, handle)
        known = {run.workflow_id for run in await self.runs(handle)}
        await handle.backfill(ScheduleBackfill(start_at=after, end_at=end, overlap=overlap))
        goal = before.handled + len(due)
        await self._until(
            handle,
            lambda now: now.handled >= goal and not now.buffered,
            f"to run the {len(due)} actions that were due",
        )
        return [run for run in await self.runs(handle) if run.workflow_id not in known]

    async def runs(self, handle: ScheduleHandle) -> list[ActionRun]:
        """See `Schedules.runs`."""
        return await self._case.guard.wait(every(self._case.client, handle), f"the runs of the schedule {handle.id}")

    async def overlap(
        self,
        policy: ScheduleOverlapPolicy,
        workflow: Workflow,
        /,
        *arguments: Any,
        starts: int = 4,
        finish: Finish | None = None,
        **options: Any,
    ) -> Overlap:
        """See `Schedules.overlap`."""
        due = due_times(starts)
        handle = await self.create(EVERY_HOUR, workflow, *arguments, overlap=policy, **options)
        trial = OverlapTrial(self._case, handle, policy, finish).run(due)
        return await self._case.guard.wait(trial, f"the runs of a schedule that is due {starts} times ({policy.name})")

    async def _due(
        self, handle: ScheduleHandle, after: datetime, until: datetime, most: int | None = None
    ) -> list[datetime]:
        """When a schedule is due, later than `after` and not later than `until`; at most the first 1,000 times."""
        times = await ScheduleCalls(self._case.client).matching_times(handle.id, after, until)
        return list(times[:most])

    async def _until(self, handle: ScheduleHandle, done: Callable[[ActionCounts], bool], awaited: str) -> ActionCounts:
        async def look() -> ActionCounts:
            while not done(now := await counts(self._case.client, handle)):
                await asyncio.sleep(POLL_SECONDS)
            return now

        return await self._case.guard.wait(look(), f"the schedule {handle.id} {awaited}")


def _in_zone(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise SetupError(f"{moment!r} has no time zone: use when.replace(tzinfo=timezone.utc)")
    return moment
