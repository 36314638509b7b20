"""What a preview says of overlaps, checked against what the real server does with real runs, on both its schedulers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

from temporalio.client import Client

from devserver.executables.models import Executable
from devserver.schedules import (
    OVERLAP_POLICIES,
    Interval,
    NewSchedule,
    OverlapPolicy,
    PreviewOptions,
    SchedulePreview,
    ScheduleSpec,
    backfill_schedule,
    create_schedule,
    preview_schedule,
)

from .conftest import QUEUE, Held
from .real import State, check, look, on_both, own, until

HOUR = timedelta(hours=1)
SECOND = timedelta(seconds=1)
PAST = datetime(2026, 1, 1, tzinfo=timezone.utc)

Tried = tuple["Case", SchedulePreview, State]


@dataclass(frozen=True)
class Case:
    """A schedule to be tried: `times` times, every so often, with runs of a length."""

    name: str
    policy: OverlapPolicy
    every: timedelta
    run: timedelta
    times: int
    cancel: timedelta = timedelta(0)
    catchup: timedelta | None = None

    def schedule(self, begin: datetime, **more: Any) -> NewSchedule:
        """The schedule."""
        end = begin + self.every * (self.times - 1)
        offset = timedelta(seconds=begin.timestamp() % self.every.total_seconds())
        spec = ScheduleSpec(intervals=(Interval(self.every, offset),), start=begin, end=end)
        return NewSchedule(self.name, task_queue=QUEUE, spec=spec, policy=self.policy, **more)

    def wanted(self, begin: datetime) -> PreviewOptions:
        """What is foreseen of it."""
        return PreviewOptions(after=begin - SECOND, run_length=self.run, cancel_length=self.cancel)


STEPS = (
    *(Case(policy, policy, 2 * HOUR, 5 * HOUR, 5) for policy in OVERLAP_POLICIES),
    Case("slow to cancel", "cancel_other", 2 * HOUR, 9 * HOUR, 5, cancel=3 * HOUR),
)
# Lateness of a second or two, as on a busy machine, changes nothing here.
ON_THE_CLOCK = (
    *(Case(policy, policy, 5 * SECOND, 7.5 * SECOND, 3) for policy in OVERLAP_POLICIES),
    Case("short catch-up", "buffer_all", 2 * SECOND, 13 * SECOND, 2, catchup=10 * SECOND),
)


def test_previews_come_true_step_by_step(installed: Executable) -> None:
    """Times of the past are made due one by one, and runs let go where the preview says that they end: after each step
    there are the foreseen runs, and in the end as many starts were skipped."""
    older, newer = on_both(lambda client: (_step_by_step(client, case) for case in STEPS))
    assert [preview.scheduler for _, preview, _ in (*older, *newer)] == ["workflow"] * 7 + ["chasm"] * 7
    for case, preview, state in (*older, *newer):
        check(preview, case.policy, state)


async def _step_by_step(client: Client, case: Case) -> Tried:
    new = case.schedule(PAST, workflow_type="Held", input=(bool(case.cancel),), paused=True)
    await create_schedule(client, new)
    preview = await preview_schedule(client, case.name, case.wanted(PAST))
    foreseen = own(preview, case.policy)
    ends = {start.ended for start in foreseen.starts if start.ended}
    seen = await look(client, case.name, preview.times)
    for moment in sorted({*preview.times, *ends}):
        if moment in preview.times:
            await backfill_schedule(client, case.name, moment, moment)
        else:
            await _let_go(client, [start.number for start in foreseen.starts if start.ended == moment], seen)
        runs = [number for number in foreseen.ran if (foreseen.starts[number - 1].started or moment) <= moment]
        over = [number for number in runs if (foreseen.starts[number - 1].ended or moment) <= moment]
        came = sum(due <= moment for due in preview.times)

        def fits(state: State, came: int = came, runs: list[int] = runs, over: list[int] = over) -> bool:
            closed = [number for number, fate in state.runs.values() if fate]
            begun = [number for number, _ in state.runs.values()]
            return state.dealt_with(foreseen) >= came and begun == runs and closed == over

        seen = await until(lambda: look(client, case.name, preview.times), fits, (case, moment, runs, over))
    return case, preview, seen


async def _let_go(client: Client, numbers: list[int], state: State) -> None:
    for workflow_id, (number, _) in state.runs.items():
        if number in numbers:
            await client.get_workflow_handle(workflow_id).signal(Held.let_go)


def test_previews_come_true_on_the_clock(installed: Executable) -> None:
    """Schedules that are due every few seconds, with runs that take longer than that, do what was foreseen of them;
    what has waited for longer than the catch-up window is dropped by the newer scheduler only."""
    older, newer = on_both(lambda client: (_on_the_clock(client, case) for case in ON_THE_CLOCK))
    for case, preview, state in (*older, *newer):
        check(preview, case.policy, state)
    assert (older[-1][2].counts.missed, newer[-1][2].counts.missed) == (0, 1)


async def _on_the_clock(client: Client, case: Case) -> Tried:
    begin = datetime.now(timezone.utc).replace(microsecond=0) + 3 * SECOND
    seconds = case.run.total_seconds()
    await create_schedule(
        client, case.schedule(begin, workflow_type="Lasts", input=(seconds,), catchup_window=case.catchup)
    )
    preview = await preview_schedule(client, case.name, case.wanted(begin))
    foreseen = own(preview, case.policy)

    def over(state: State) -> bool:
        done = state.dealt_with(foreseen) >= case.times and not state.counts.buffered
        return done and all(fate for _, fate in state.runs.values())

    return case, preview, await until(lambda: look(client, case.name, preview.times), over, case)
