"""Previews a schedule: its next times, and what each overlap policy does with runs of a given length.

The server computes the times, so calendars, time zones and daylight saving time are exactly the server's. To preview
times without a schedule, a temporary schedule is created and deleted right away (see `temporary_schedule`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone

from temporalio.api.enums.v1 import ScheduleOverlapPolicy
from temporalio.api.schedule.v1 import ScheduleSpec as ScheduleSpecProto
from temporalio.api.workflowservice.v1 import DescribeScheduleResponse
from temporalio.client import Client

from ..errors import OptionError
from .calls import MAX_TIMES, ScheduleCalls
from .clock_changes import clock_change_notes, no_effect_note
from .overlap import (
    OVERLAP_POLICIES,
    ZERO,
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
    """The next times of a schedule, and what each overlap policy does at these times.

    Args:
        schedule_id: The schedule; None for times without a schedule.
        times: The next times, in UTC. They include the jitter of a schedule, and no jitter without a schedule.
        time_zone: The time zone of cron expressions and calendars.
        jitter: The longest random delay of a time.
        policy: The schedule's own overlap policy; None without a schedule.
        scheduler: Which of the server's schedulers handles it.
        notes: What else to know about the schedule, one sentence each.
        run_length: The assumed length of a run; None if no runs were simulated.
        cancel_length: How long a run takes to end after its cancellation was requested.
        outcomes: One outcome for each overlap policy; empty without a `run_length`.
    """

    schedule_id: str | None
    times: tuple[datetime, ...]
    time_zone: str
    jitter: timedelta
    policy: OverlapPolicy | None
    scheduler: Scheduler
    notes: tuple[str, ...] = ()
    run_length: timedelta | None = None
    cancel_length: timedelta = ZERO
    outcomes: tuple[OverlapOutcome, ...] = ()


@dataclass(frozen=True)
class PreviewOptions:
    """Options of a preview.

    Args:
        count: How many times to show, 1 to 1,000.
        after: Show times later than this; None is now.
        run_length: Simulate the overlap policies with runs of this length; None skips the simulation.
        cancel_length: How long a run takes to end after its cancellation was requested.

    Raises:
        OptionError: A value is out of range.
    """

    count: int = 10
    after: datetime | None = None
    run_length: timedelta | None = None
    cancel_length: timedelta = ZERO

    def __post_init__(self) -> None:
        if not 1 <= self.count <= MAX_TIMES:
            raise OptionError(f"the number of times must be 1 to {MAX_TIMES:,}, not {self.count:,}")
        if self.run_length is not None and self.run_length <= ZERO:
            raise OptionError(
                "the run length must be greater than zero", hint="for example --run-length 90s, 30m or 12h"
            )
        if self.cancel_length < ZERO:
            raise OptionError("the cancel length must not be negative")


DEFAULT_OPTIONS = PreviewOptions()


async def preview_schedule(
    client: Client, schedule_id: str, options: PreviewOptions = DEFAULT_OPTIONS
) -> SchedulePreview:
    """Preview a schedule.

    Raises:
        ScheduleUnknown: The schedule does not exist.
        CannotAsk: The server does not answer.
    """
    calls = ScheduleCalls(client)
    response = await calls.describe(schedule_id)
    spec, policies = response.schedule.spec, response.schedule.policies
    times = await _times(calls, schedule_id, options)
    preview = SchedulePreview(
        schedule_id=schedule_id,
        times=times,
        time_zone=spec.timezone_name or "UTC",
        jitter=spec.jitter.ToTimedelta(),
        policy=policy_from_proto(policies.overlap_policy),
        scheduler=await calls.scheduler(schedule_id),
        notes=(*_notes(response), *_left_out(spec, times, options)),
    )
    window = policies.catchup_window.ToTimedelta() if policies.HasField("catchup_window") else None
    return _with_outcomes(preview, options, window)


async def preview_spec(
    client: Client,
    spec: ScheduleSpec,
    options: PreviewOptions = DEFAULT_OPTIONS,
    *,
    catchup_window: timedelta | None = None,
) -> SchedulePreview:
    """Preview times for which no schedule exists yet.

    Raises:
        ScheduleRefused: The server refuses the times; the message has its reason.
        CannotAsk: The server does not answer.
    """
    calls = ScheduleCalls(client)
    async with temporary_schedule(calls, spec) as schedule_id:
        times = await _times(calls, schedule_id, options)
        described = (await calls.describe(schedule_id)).schedule.spec if spec.time_zone else ScheduleSpecProto()
        on_calendars = bool(spec.crons or spec.calendars or spec.skip)
        preview = SchedulePreview(
            schedule_id=None,
            times=times,
            time_zone=spec.time_zone or "UTC",
            jitter=spec.jitter or ZERO,
            policy=None,
            scheduler=await calls.scheduler(schedule_id),
            notes=(
                *no_effect_note(spec.time_zone, on_calendars=on_calendars),
                *_left_out(described, times, options),
            ),
        )
        await remove_abandoned(calls, schedule_id)
    return _with_outcomes(preview, options, catchup_window)


def _left_out(spec: ScheduleSpecProto, times: Sequence[datetime], options: PreviewOptions) -> tuple[str, ...]:
    if not times:
        return ()
    return clock_change_notes(spec, options.after or datetime.now(timezone.utc), times[-1])


async def _times(calls: ScheduleCalls, schedule_id: str, options: PreviewOptions) -> tuple[datetime, ...]:
    return (await calls.matching_times(schedule_id, options.after or datetime.now(timezone.utc)))[: options.count]


def policy_from_proto(policy: ScheduleOverlapPolicy.ValueType) -> OverlapPolicy:
    """The policy by its name; an unset policy is `skip`."""
    name = ScheduleOverlapPolicy.Name(policy).removeprefix("SCHEDULE_OVERLAP_POLICY_").lower()
    return next((known for known in OVERLAP_POLICIES if known == name), "skip")


def policy_to_proto(policy: OverlapPolicy | None) -> ScheduleOverlapPolicy.ValueType:
    """The policy for a request; None uses the schedule's own policy."""
    return ScheduleOverlapPolicy.Value(f"SCHEDULE_OVERLAP_POLICY_{(policy or 'unspecified').upper()}")


def _with_outcomes(
    preview: SchedulePreview, options: PreviewOptions, catchup_window: timedelta | None
) -> SchedulePreview:
    length = options.run_length
    if length is None:
        return preview
    settings = SimulationSettings(length, options.cancel_length, catchup_window, preview.scheduler)
    try:
        close_calls = _close_calls(preview.times, settings)
        outcomes = tuple(simulate(preview.times, policy, settings) for policy in OVERLAP_POLICIES)
    except OverflowError:
        raise OptionError("runs of that length, one after the other, end after the year 9999") from None
    return replace(
        preview,
        run_length=length,
        cancel_length=options.cancel_length,
        outcomes=outcomes,
        notes=(*preview.notes, *close_calls),
    )


def _close_calls(times: tuple[datetime, ...], settings: SimulationSettings) -> list[str]:
    """A note on policies whose results change with a second more or less: real runs start late and differ in length."""
    if settings.run_length <= SECOND:
        return []
    shorter, longer = (replace(settings, run_length=settings.run_length + delta) for delta in (-SECOND, SECOND))

    def results(policy: OverlapPolicy, assumed: SimulationSettings) -> list[StartResult]:
        return [start.result for start in simulate(times, policy, assumed).starts]

    close = [policy for policy in OVERLAP_POLICIES if results(policy, shorter) != results(policy, longer)]
    return [f"runs that are one second shorter or longer change the result of {', '.join(close)}"] if close else []


def _notes(response: DescribeScheduleResponse) -> tuple[str, ...]:
    state, info = response.schedule.state, response.info
    notes = []
    if state.paused:
        reason = f" ({state.notes})" if state.notes else ""
        notes.append(f"the schedule is paused: nothing starts until you unpause it{reason}")
    if state.limited_actions:
        notes.append(f"remaining actions: {state.remaining_actions}")
    if info.running_workflows:
        notes.append(f"open runs: {len(info.running_workflows)}; the simulation ignores them")
    if response.schedule.policies.pause_on_failure:
        notes.append("the schedule pauses when a run fails or times out")
    return tuple(notes)
