"""When a schedule is due next, and what each overlap policy would do with runs of a given length.

The server itself tells the times, so calendars, time zones and daylight saving are its own. For times that are not a
schedule yet it is given a paused, temporary one, which is deleted at once.
"""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

from temporalio.api.common.v1 import WorkflowType
from temporalio.api.enums.v1 import ScheduleOverlapPolicy
from temporalio.api.schedule.v1 import Schedule, ScheduleAction, ScheduleState
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflow.v1 import NewWorkflowExecutionInfo
from temporalio.api.workflowservice.v1 import DescribeScheduleResponse
from temporalio.client import Client

from ..errors import OptionError
from .calls import MOST_TIMES, Calls
from .errors import ScheduleUnknown
from .overlap import NOTHING, POLICIES, Outcome, Policy, Rules, Scheduler, simulate
from .spec import Spec

COUNT = 10
TEMPORARY = "devserver-preview-"
TEMPORARY_NOTE = "temporary, of devserver schedule preview; may be deleted"


@dataclass(frozen=True)
class Preview:
    """The next times (UTC) of a schedule, or of times that are none yet (`schedule_id` is None).

    `jitter` is part of the times of a schedule, and not of others: by chance each is up to so much later. `policy` is
    what applies unless something else is said. `outcomes` has what each policy would do, empty where no length of a
    run was given.
    """

    schedule_id: str | None
    times: tuple[datetime, ...]
    time_zone: str
    jitter: timedelta
    policy: Policy
    scheduler: Scheduler
    notes: tuple[str, ...] = ()
    run_length: timedelta | None = None
    cancel_length: timedelta = NOTHING
    outcomes: tuple[Outcome, ...] = ()


async def preview_schedule(
    client: Client,
    schedule_id: str,
    *,
    count: int = COUNT,
    after: datetime | None = None,
    run_length: timedelta | None = None,
    cancel_length: timedelta = NOTHING,
) -> Preview:
    """The first `count` times (1 to 1,000) that a schedule is due later than `after` (now), and what comes of them.

    Raises:
        ScheduleUnknown: There is none of that id.
        CannotAsk: The server does not answer.
        OptionError: A number cannot be used.
    """
    _check(count, run_length, cancel_length)
    calls = Calls(client)
    found = await calls.describe(schedule_id)
    times = (await calls.due(schedule_id, after or datetime.now(timezone.utc)))[:count]
    scheduler = await calls.scheduler(schedule_id)
    policies = found.schedule.policies
    window = policies.catchup_window.ToTimedelta() if policies.HasField("catchup_window") else None
    return Preview(
        schedule_id=schedule_id,
        times=times,
        time_zone=found.schedule.spec.timezone_name or "UTC",
        jitter=found.schedule.spec.jitter.ToTimedelta(),
        policy=policy_of(policies.overlap_policy),
        scheduler=scheduler,
        notes=_notes(found),
        run_length=run_length,
        cancel_length=cancel_length,
        outcomes=_outcomes(times, run_length, cancel_length, window, scheduler),
    )


async def preview_spec(
    client: Client,
    spec: Spec,
    *,
    policy: Policy = "skip",
    catchup_window: timedelta | None = None,
    count: int = COUNT,
    after: datetime | None = None,
    run_length: timedelta | None = None,
    cancel_length: timedelta = NOTHING,
) -> Preview:
    """The same for a schedule that does not exist yet.

    Raises:
        ScheduleRefused: The server does not take it; says why.
        CannotAsk: The server does not answer.
        OptionError: A number cannot be used.
    """
    _check(count, run_length, cancel_length)
    calls = Calls(client)
    async with _temporary(calls, spec) as schedule_id:
        times = (await calls.due(schedule_id, after or datetime.now(timezone.utc)))[:count]
        scheduler = await calls.scheduler(schedule_id)
    return Preview(
        schedule_id=None,
        times=times,
        time_zone=spec.time_zone or "UTC",
        jitter=spec.jitter or NOTHING,
        policy=policy,
        scheduler=scheduler,
        run_length=run_length,
        cancel_length=cancel_length,
        outcomes=_outcomes(times, run_length, cancel_length, catchup_window, scheduler),
    )


def policy_of(wire: ScheduleOverlapPolicy.ValueType) -> Policy:
    """A policy by the name that users write; one that is not set is skip."""
    name = ScheduleOverlapPolicy.Name(wire).removeprefix("SCHEDULE_OVERLAP_POLICY_").lower()
    return next((policy for policy in POLICIES if policy == name), "skip")


def wire_policy(policy: Policy | None) -> ScheduleOverlapPolicy.ValueType:
    """As the server takes it; None leaves it to the schedule."""
    return ScheduleOverlapPolicy.Value(f"SCHEDULE_OVERLAP_POLICY_{(policy or 'unspecified').upper()}")


@contextlib.asynccontextmanager
async def _temporary(calls: Calls, spec: Spec) -> AsyncIterator[str]:
    """A paused schedule without jitter, for as long as the block lasts, however that ends."""
    schedule_id = TEMPORARY + uuid.uuid4().hex
    action = NewWorkflowExecutionInfo(
        workflow_id=schedule_id,
        workflow_type=WorkflowType(name="never-started"),
        task_queue=TaskQueue(name="never-polled"),
    )
    schedule = Schedule(
        spec=spec.to_proto(jitter=False),
        action=ScheduleAction(start_workflow=action),
        state=ScheduleState(paused=True, notes=TEMPORARY_NOTE),
    )
    try:
        await calls.create(schedule_id, schedule)
        yield schedule_id
    finally:
        with contextlib.suppress(ScheduleUnknown):
            await asyncio.shield(calls.delete(schedule_id))


def _check(count: int, run_length: timedelta | None, cancel_length: timedelta) -> None:
    if not 1 <= count <= MOST_TIMES:
        raise OptionError(f"the server tells 1 to {MOST_TIMES:,} times, not {count:,}")
    if (run_length is not None and run_length <= NOTHING) or cancel_length < NOTHING:
        raise OptionError("a run takes some time, and its cancellation no less than none")


def _outcomes(
    times: tuple[datetime, ...],
    run_length: timedelta | None,
    cancel_length: timedelta,
    catchup_window: timedelta | None,
    scheduler: Scheduler,
) -> tuple[Outcome, ...]:
    if run_length is None:
        return ()
    rules = Rules(run_length, cancel_length, catchup_window, scheduler)
    return tuple(simulate(times, policy, rules) for policy in POLICIES)


def _notes(found: DescribeScheduleResponse) -> tuple[str, ...]:
    state, info = found.schedule.state, found.info
    notes = []
    if state.paused:
        notes.append("it is paused: nothing starts until it is unpaused" + (f" ({state.notes})" if state.notes else ""))
    if state.limited_actions:
        notes.append(f"actions that are left: {state.remaining_actions}")
    if info.running_workflows:
        notes.append(f"open runs now: {len(info.running_workflows)}; what comes of these times is told without them")
    if found.schedule.policies.pause_on_failure:
        notes.append("it is paused when a run fails or times out")
    return tuple(notes)
