"""Steers schedules: trigger, backfill, pause, unpause, delete."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Any, Literal

from temporalio.api.common.v1 import Memo, Payloads, WorkflowType
from temporalio.api.schedule.v1 import (
    BackfillRequest,
    Schedule,
    ScheduleAction,
    SchedulePatch,
    SchedulePolicies,
    ScheduleState,
    TriggerImmediatelyRequest,
)
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflow.v1 import NewWorkflowExecutionInfo
from temporalio.api.workflowservice.v1 import DescribeScheduleResponse
from temporalio.client import Client

from ..client.timestamps import to_datetime
from ..errors import OptionError
from .calls import MOST_TIMES, ScheduleCalls, to_timestamp
from .overlap import OverlapPolicy
from .preview import policy_to_proto
from .spec import ScheduleSpec

TRIGGER_SECONDS = 5.0
POLL_SECONDS = 0.05
INSTANT = timedelta(microseconds=1)


@dataclass(frozen=True)
class TriggerResult:
    """What a schedule did when it was told to act at once; `run` is the id of the workflow that it started.

    `skipped` is by its overlap policy, `buffered` waits for the end of an open run, `asked` is not known yet.
    """

    what: Literal["started", "skipped", "buffered", "asked"]
    policy: OverlapPolicy | None
    workflow_id: str | None = None


@dataclass(frozen=True)
class BackfillPlan:
    """The times (UTC) for which a schedule is to act afterwards; `more` tells that there are over 1,000."""

    times: tuple[datetime, ...]
    more: bool


async def trigger_schedule(client: Client, schedule_id: str, policy: OverlapPolicy | None = None) -> TriggerResult:
    """Have it act at once, by `policy` instead of its own, and tell what it did (within 5 seconds).

    Raises:
        ScheduleUnknown: There is none of that id.
    """
    calls = ScheduleCalls(client)
    before = await calls.describe(schedule_id)
    at = _unused_second(before)
    request = TriggerImmediatelyRequest(overlap_policy=policy_to_proto(policy), scheduled_time=to_timestamp(at))
    await calls.patch(schedule_id, SchedulePatch(trigger_immediately=request))
    deadline = time.monotonic() + TRIGGER_SECONDS
    while time.monotonic() < deadline:
        found = _what_it_did(before, await calls.describe(schedule_id), at, policy)
        if found is not None:
            return found
        await asyncio.sleep(POLL_SECONDS)
    return TriggerResult("asked", policy)


def _unused_second(found: DescribeScheduleResponse) -> datetime:
    """Now, to the second, or the next one that no run has: ids of runs end with it."""
    taken = {to_datetime(action.schedule_time).replace(microsecond=0) for action in found.info.recent_actions}
    at = datetime.now(timezone.utc).replace(microsecond=0)
    while at in taken:
        at += timedelta(seconds=1)
    return at


def _what_it_did(
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
    """When it was due from `start` to `end`, both included.

    Raises:
        ScheduleUnknown: There is none of that id.
        OptionError: `end` is not later than `start`.
    """
    if end <= start:
        raise OptionError(f"a backfill goes from earlier to later: {start} is not before {end}")
    times = await ScheduleCalls(client).due(schedule_id, start - INSTANT, end)
    return BackfillPlan(times, len(times) >= MOST_TIMES)


async def backfill_schedule(
    client: Client, schedule_id: str, start: datetime, end: datetime, policy: OverlapPolicy | None = None
) -> None:
    """Have it act for each time it was due from `start` to `end`, both included; does not wait for that.

    Raises:
        ScheduleUnknown: There is none of that id.
    """
    request = BackfillRequest(
        start_time=to_timestamp(start - INSTANT), end_time=to_timestamp(end), overlap_policy=policy_to_proto(policy)
    )
    await ScheduleCalls(client).patch(schedule_id, SchedulePatch(backfill_request=[request]))


async def pause_schedule(client: Client, schedule_id: str, note: str) -> None:
    """Stop it from acting until it is unpaused; open runs go on.

    Raises:
        ScheduleUnknown: There is none of that id.
    """
    await ScheduleCalls(client).patch(schedule_id, SchedulePatch(pause=note))


async def unpause_schedule(client: Client, schedule_id: str, note: str) -> None:
    """Let it act again.

    Raises:
        ScheduleUnknown: There is none of that id.
    """
    await ScheduleCalls(client).patch(schedule_id, SchedulePatch(unpause=note))


async def delete_schedule(client: Client, schedule_id: str) -> None:
    """Delete it; open runs go on.

    Raises:
        ScheduleUnknown: There is none of that id.
    """
    await ScheduleCalls(client).delete(schedule_id)


@dataclass(frozen=True)
class NewSchedule:
    """A schedule to be made: when, and the workflow that it starts then.

    `input` has the workflow's arguments, `workflow_id` what its ids begin with (the schedule's own id), `memo` and
    `note` are the schedule's. None leaves a choice to the server.
    """

    schedule_id: str
    workflow_type: str
    task_queue: str
    spec: ScheduleSpec = field(default_factory=ScheduleSpec)
    workflow_id: str | None = None
    input: Sequence[Any] = ()
    policy: OverlapPolicy = "skip"
    catchup_window: timedelta | None = None
    pause_on_failure: bool = False
    paused: bool = False
    note: str = ""
    memo: Mapping[str, Any] = field(default_factory=dict)
    remaining_actions: int | None = None
    execution_timeout: timedelta | None = None
    run_timeout: timedelta | None = None


async def create_schedule(client: Client, new: NewSchedule) -> None:
    """Make it.

    Raises:
        ScheduleExists: There is one of that id.
        ScheduleRefused: The server does not take it; says why.
        CannotAsk: The server does not answer.
    """
    schedule = Schedule(
        spec=new.spec.to_proto(),
        action=ScheduleAction(start_workflow=await _action(client, new)),
        policies=SchedulePolicies(overlap_policy=policy_to_proto(new.policy), pause_on_failure=new.pause_on_failure),
        state=ScheduleState(notes=new.note, paused=new.paused),
    )
    if new.catchup_window is not None:
        schedule.policies.catchup_window.FromTimedelta(new.catchup_window)
    if new.remaining_actions is not None:
        schedule.state.limited_actions = True
        schedule.state.remaining_actions = new.remaining_actions
    payloads = await client.data_converter.encode(list(new.memo.values()))
    memo = Memo(fields=dict(zip(new.memo, payloads, strict=True))) if new.memo else None
    await ScheduleCalls(client).create(new.schedule_id, schedule, memo)


async def _action(client: Client, new: NewSchedule) -> NewWorkflowExecutionInfo:
    payloads = await client.data_converter.encode(list(new.input))
    made = NewWorkflowExecutionInfo(
        workflow_id=new.workflow_id or new.schedule_id,
        workflow_type=WorkflowType(name=new.workflow_type),
        task_queue=TaskQueue(name=new.task_queue),
        input=Payloads(payloads=payloads) if payloads else None,
    )
    if new.execution_timeout is not None:
        made.workflow_execution_timeout.FromTimedelta(new.execution_timeout)
    if new.run_timeout is not None:
        made.workflow_run_timeout.FromTimedelta(new.run_timeout)
    return made
