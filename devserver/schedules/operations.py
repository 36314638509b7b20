"""Create, trigger, backfill, pause, unpause and delete a schedule."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Any, Literal

from temporalio.api.common.v1 import Memo, Payload, Payloads, WorkflowType
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

from ..client.timestamps import to_datetime, to_timestamp
from ..errors import OptionError
from .calls import MAX_TIMES, ScheduleCalls
from .overlap import OverlapPolicy
from .preview import policy_to_proto
from .spec import ScheduleSpec

TRIGGER_SECONDS = 5.0
POLL_SECONDS = 0.05
INSTANT = timedelta(microseconds=1)


@dataclass(frozen=True)
class NewSchedule:
    """A schedule to create, and the workflow it starts. None uses the server's default.

    Args:
        schedule_id: The id of the schedule.
        workflow_type, task_queue: The workflow to start, and the task queue of its workers.
        spec: When to start it; an empty spec starts it only when triggered.
        workflow_id: What the ids of its runs begin with; None uses the schedule's id.
        input: The workflow's arguments.
        policy: What to do when a run is still open.
        catchup_window: How late an action may start; later ones are dropped.
        pause_on_failure: Pause the schedule when a run fails or times out.
        paused: Create it paused.
        note, memo: The note and the memo of the schedule.
        headers: Headers of its workflows.
        remaining_actions: How often it acts in all.
        execution_timeout, run_timeout: The timeouts of its workflows.
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
    headers: Mapping[str, bytes] = field(default_factory=dict)
    remaining_actions: int | None = None
    execution_timeout: timedelta | None = None
    run_timeout: timedelta | None = None


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
    schedule = await _schedule(client, new)
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
    schedule = await _schedule(client, new)
    found = await calls.describe(new.schedule_id)
    schedule.state.paused = found.schedule.state.paused
    schedule.state.notes = new.note or found.schedule.state.notes
    await calls.update(new.schedule_id, schedule, found.conflict_token)


async def _schedule(client: Client, new: NewSchedule) -> Schedule:
    """The schedule for a request."""
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
    return schedule


async def _action(client: Client, new: NewSchedule) -> NewWorkflowExecutionInfo:
    payloads = await client.data_converter.encode(list(new.input))
    action = NewWorkflowExecutionInfo(
        workflow_id=new.workflow_id or new.schedule_id,
        workflow_type=WorkflowType(name=new.workflow_type),
        task_queue=TaskQueue(name=new.task_queue),
        input=Payloads(payloads=payloads) if payloads else None,
    )
    for name, data in new.headers.items():
        action.header.fields[name].CopyFrom(Payload(metadata={"encoding": b"binary/plain"}, data=data))
    if new.execution_timeout is not None:
        action.workflow_execution_timeout.FromTimedelta(new.execution_timeout)
    if new.run_timeout is not None:
        action.workflow_run_timeout.FromTimedelta(new.run_timeout)
    return action


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
