"""Create, trigger, backfill, pause, unpause and delete a schedule."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Literal

from temporalio.api.common.v1 import Memo
from temporalio.api.schedule.v1 import BackfillRequest, SchedulePatch, TriggerImmediatelyRequest
from temporalio.api.workflowservice.v1 import DescribeScheduleResponse
from temporalio.client import Client

from ..client.timestamps import to_datetime, to_timestamp
from ..errors import OptionError
from .calls import MAX_TIMES, ScheduleCalls
from .new_schedule import NewSchedule, schedule_of
from .overlap import OverlapPolicy
from .preview import policy_to_proto

TRIGGER_SECONDS = 5.0
POLL_SECONDS = 0.05
INSTANT = timedelta(microseconds=1)


@dataclass(frozen=True)
class TriggerResult:
    """What a schedule did when it was triggered.

    Args:
        status: `started`; `skipped` by the overlap policy; `buffered` until the open run ends; or `pending`: the server
            has not acted yet.
        policy: The overlap policy of the trigger; None is the schedule's own.
        workflow_id: The id of the started workflow; None if none was started.
    """

    status: Literal["started", "skipped", "buffered", "pending"]
    policy: OverlapPolicy | None
    workflow_id: str | None = None


@dataclass(frozen=True)
class BackfillPlan:
    """The scheduled times of a backfill, in UTC; `more` if there are more than the first 1,000."""

    times: tuple[datetime, ...]
    more: bool


async def create_schedule(client: Client, new: NewSchedule) -> None:
    """Create a schedule.

    Raises:
        ScheduleExists: A schedule with that id exists.
        ScheduleRefused: The server refuses it; the message has its reason.
        CannotAsk: The server does not answer.
    """
    schedule = await schedule_of(client, new)
    payloads = await client.data_converter.encode(list(new.memo.values()))
    memo = Memo(fields=dict(zip(new.memo, payloads, strict=True))) if new.memo else None
    await ScheduleCalls(client).create(new.schedule_id, schedule, memo)


async def update_schedule(client: Client, new: NewSchedule) -> None:
    """Give a schedule other times, another workflow and other policies; it keeps its memo, and stays paused or not.

    Raises:
        ScheduleUnknown: The schedule does not exist.
        ScheduleRefused: The server refuses it; the message has its reason.
        CannotAsk: The server does not answer.
    """
    calls = ScheduleCalls(client)
    schedule = await schedule_of(client, new)
    found = await calls.describe(new.schedule_id)
    schedule.state.paused = found.schedule.state.paused
    schedule.state.notes = new.note or found.schedule.state.notes
    await calls.update(new.schedule_id, schedule, found.conflict_token)


async def trigger_schedule(client: Client, schedule_id: str, policy: OverlapPolicy | None = None) -> TriggerResult:
    """Trigger a schedule now, with `policy` or its own overlap policy, and wait up to 5 seconds for the result.

    Raises:
        ScheduleUnknown: The schedule does not exist.
    """
    calls = ScheduleCalls(client)
    before = await calls.describe(schedule_id)
    at = _unused_second(before)
    request = TriggerImmediatelyRequest(overlap_policy=policy_to_proto(policy), scheduled_time=to_timestamp(at))
    await calls.patch(schedule_id, SchedulePatch(trigger_immediately=request))
    deadline = time.monotonic() + TRIGGER_SECONDS
    while time.monotonic() < deadline:
        result = _trigger_result(before, await calls.describe(schedule_id), at, policy)
        if result is not None:
            return result
        await asyncio.sleep(POLL_SECONDS)
    return TriggerResult("pending", policy)


def _unused_second(response: DescribeScheduleResponse) -> datetime:
    """The current second, or the next one without a run: the workflow ids end with it."""
    taken = {to_datetime(action.schedule_time).replace(microsecond=0) for action in response.info.recent_actions}
    at = datetime.now(timezone.utc).replace(microsecond=0)
    while at in taken:
        at += timedelta(seconds=1)
    return at


def _trigger_result(
    before: DescribeScheduleResponse, now: DescribeScheduleResponse, at: datetime, policy: OverlapPolicy | None
) -> TriggerResult | None:
    for action in now.info.recent_actions:
        if to_datetime(action.schedule_time) == at:
            return TriggerResult("started", policy, action.start_workflow_result.workflow_id)
    if now.info.overlap_skipped > before.info.overlap_skipped:
        return TriggerResult("skipped", policy)
    if now.info.buffer_size > before.info.buffer_size:
        return TriggerResult("buffered", policy)
    return None


async def plan_backfill(client: Client, schedule_id: str, start: datetime, end: datetime) -> BackfillPlan:
    """The scheduled times from `start` to `end`, both included.

    Raises:
        ScheduleUnknown: The schedule does not exist.
        OptionError: `end` is not later than `start`.
    """
    if end <= start:
        raise OptionError(f"the backfill ends ({end}) before it starts ({start})")
    times = await ScheduleCalls(client).matching_times(schedule_id, start - INSTANT, end)
    return BackfillPlan(times, len(times) >= MAX_TIMES)


async def backfill_schedule(
    client: Client, schedule_id: str, start: datetime, end: datetime, policy: OverlapPolicy | None = None
) -> None:
    """Run the actions that were due from `start` to `end`, both included. Does not wait for them.

    Raises:
        ScheduleUnknown: The schedule does not exist.
    """
    request = BackfillRequest(
        start_time=to_timestamp(start - INSTANT), end_time=to_timestamp(end), overlap_policy=policy_to_proto(policy)
    )
    await ScheduleCalls(client).patch(schedule_id, SchedulePatch(backfill_request=[request]))


async def pause_schedule(client: Client, schedule_id: str, note: str) -> None:
    """Pause a schedule; open runs continue.

    Raises:
        ScheduleUnknown: The schedule does not exist.
    """
    await ScheduleCalls(client).patch(schedule_id, SchedulePatch(pause=note))


async def unpause_schedule(client: Client, schedule_id: str, note: str) -> None:
    """Unpause a schedule.

    Raises:
        ScheduleUnknown: The schedule does not exist.
    """
    await ScheduleCalls(client).patch(schedule_id, SchedulePatch(unpause=note))


async def delete_schedule(client: Client, schedule_id: str) -> None:
    """Delete a schedule; open runs continue.

    Raises:
        ScheduleUnknown: The schedule does not exist.
    """
    await ScheduleCalls(client).delete(schedule_id)
