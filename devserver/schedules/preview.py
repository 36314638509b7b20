"""When a schedule is due next, and what each overlap policy would do with runs of a given length.

The server itself tells the times, so calendars, time zones and daylight saving are its own. For times that are not a
schedule yet it is given a temporary one (`temporary.py`), which is deleted at once.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone

from temporalio.api.enums.v1 import ScheduleOverlapPolicy
from temporalio.api.workflowservice.v1 import DescribeScheduleResponse
from temporalio.client import Client

from ..errors import OptionError
from .calls import MOST_TIMES, ScheduleCalls
from .overlap import (
    NOTHING,
    OVERLAP_POLICIES,
    OverlapOutcome,
    OverlapPolicy,
    Scheduler,
    SimulationSettings,
    StartResult,
    simulate,
)
from .spec import ScheduleSpec
from .temporary_schedule import remove_abandoned, temporary_schedule

SECOND = timedelta(seconds=1)


@dataclass(frozen=True)
class SchedulePreview:
    """The next times (UTC) of a schedule, or of times that are none yet (`schedule_id` is None).

    `jitter` is part of the times of a schedule, and not of others: by chance each is up to so much later. `outcomes`
    has what each policy would do, empty where no length of a run was given; `policy` is the schedule's own.
    """

    schedule_id: str | None
    times: tuple[datetime, ...]
    time_zone: str
    jitter: timedelta
    policy: OverlapPolicy | None
    scheduler: Scheduler
    notes: tuple[str, ...] = ()
    run_length: timedelta | None = None
    cancel_length: timedelta = NOTHING
    outcomes: tuple[OverlapOutcome, ...] = ()


@dataclass(frozen=True)
class PreviewOptions:
    """What is wanted of a preview: the first `count` times (1 to 1,000) later than `after` (None is now), and with a
    `run_length` what comes of them; a run takes `cancel_length` to end after it was asked to be cancelled.

    Raises:
        OptionError: A number cannot be used.
    """

    count: int = 10
    after: datetime | None = None
    run_length: timedelta | None = None
    cancel_length: timedelta = NOTHING

    def __post_init__(self) -> None:
        if not 1 <= self.count <= MOST_TIMES:
            raise OptionError(f"the server tells 1 to {MOST_TIMES:,} times, not {self.count:,}")
        if self.run_length is not None and self.run_length <= NOTHING:
            raise OptionError("the length of a run must be more than none", hint="as in --run-length 90s, 30m or 12h")
        if self.cancel_length < NOTHING:
            raise OptionError("the length of a cancellation cannot be less than none")


DEFAULT_OPTIONS = PreviewOptions()


async def preview_schedule(
    client: Client, schedule_id: str, wanted: PreviewOptions = DEFAULT_OPTIONS
) -> SchedulePreview:
    """When a schedule is due, and what comes of that.

    Raises:
        ScheduleUnknown: There is none of that id.
        CannotAsk: The server does not answer.
    """
    calls = ScheduleCalls(client)
    found = await calls.describe(schedule_id)
    spec, policies = found.schedule.spec, found.schedule.policies
    preview = SchedulePreview(
        schedule_id=schedule_id,
        times=await _times(calls, schedule_id, wanted),
        time_zone=spec.timezone_name or "UTC",
        jitter=spec.jitter.ToTimedelta(),
        policy=policy_from_proto(policies.overlap_policy),
        scheduler=await calls.scheduler(schedule_id),
        notes=_notes(found),
    )
    window = policies.catchup_window.ToTimedelta() if policies.HasField("catchup_window") else None
    return _with_outcomes(preview, wanted, window)


async def preview_spec(
    client: Client,
    spec: ScheduleSpec,
    wanted: PreviewOptions = DEFAULT_OPTIONS,
    *,
    catchup_window: timedelta | None = None,
) -> SchedulePreview:
    """The same for a schedule that does not exist yet.

    Raises:
        ScheduleRefused: The server does not take it; says why.
        CannotAsk: The server does not answer.
    """
    calls = ScheduleCalls(client)
    async with temporary_schedule(calls, spec) as schedule_id:
        preview = SchedulePreview(
            schedule_id=None,
            times=await _times(calls, schedule_id, wanted),
            time_zone=spec.time_zone or "UTC",
            jitter=spec.jitter or NOTHING,
            policy=None,
            scheduler=await calls.scheduler(schedule_id),
        )
        await remove_abandoned(calls, schedule_id)
    return _with_outcomes(preview, wanted, catchup_window)


async def _times(calls: ScheduleCalls, schedule_id: str, wanted: PreviewOptions) -> tuple[datetime, ...]:
    return (await calls.due(schedule_id, wanted.after or datetime.now(timezone.utc)))[: wanted.count]


def policy_from_proto(wire: ScheduleOverlapPolicy.ValueType) -> OverlapPolicy:
    """A policy by the name that users write; one that is not set is skip."""
    name = ScheduleOverlapPolicy.Name(wire).removeprefix("SCHEDULE_OVERLAP_POLICY_").lower()
    return next((policy for policy in OVERLAP_POLICIES if policy == name), "skip")


def policy_to_proto(policy: OverlapPolicy | None) -> ScheduleOverlapPolicy.ValueType:
    """As the server takes it; None leaves it to the schedule."""
    return ScheduleOverlapPolicy.Value(f"SCHEDULE_OVERLAP_POLICY_{(policy or 'unspecified').upper()}")


def _with_outcomes(
    preview: SchedulePreview, wanted: PreviewOptions, catchup_window: timedelta | None
) -> SchedulePreview:
    length = wanted.run_length
    if length is None:
        return preview
    rules = SimulationSettings(length, wanted.cancel_length, catchup_window, preview.scheduler)
    try:
        close = _close_calls(preview.times, rules)
        outcomes = tuple(simulate(preview.times, policy, rules) for policy in OVERLAP_POLICIES)
    except OverflowError:
        raise OptionError("runs of that length, one after the other, would end after the year 9999") from None
    return replace(
        preview,
        run_length=length,
        cancel_length=wanted.cancel_length,
        outcomes=outcomes,
        notes=(*preview.notes, *close),
    )


def _close_calls(times: tuple[datetime, ...], rules: SimulationSettings) -> list[str]:
    """Which policies it is a close call for: real runs begin a little late, and some take longer than others."""
    if rules.run_length <= SECOND:
        return []
    nearly = [replace(rules, run_length=rules.run_length + change) for change in (-SECOND, SECOND)]

    def fates(policy: OverlapPolicy, by: SimulationSettings) -> list[StartResult]:
        return [start.fate for start in simulate(times, policy, by).starts]

    close = [policy for policy in OVERLAP_POLICIES if fates(policy, nearly[0]) != fates(policy, nearly[1])]
    return [f"runs that are a second shorter or longer change what comes of {', '.join(close)}"] if close else []


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
