"""Previews of overlap policies compared with real runs on the real server, with both of its schedulers."""

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
from .real import State, check, look, on_both, outcome_of, until

HOUR = timedelta(hours=1)
SECOND = timedelta(seconds=1)
PAST = datetime(2026, 1, 1, tzinfo=timezone.utc)

Tried = tuple["Case", SchedulePreview, State]


@dataclass(frozen=True)
class Case:
    """A schedule to compare: `times` times, one `every` so often, with runs of one length."""

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

    def options(self, begin: datetime) -> PreviewOptions:
        """The options of its preview."""
        return PreviewOptions(after=begin - SECOND, run_length=self.run, cancel_length=self.cancel)


STEPS = (
    *(Case(policy, policy, 2 * HOUR, 5 * HOUR, 5) for policy in OVERLAP_POLICIES),
    Case("slow to cancel", "cancel_other", 2 * HOUR, 9 * HOUR, 5, cancel=3 * HOUR),
)
# A delay of a second or two, as on a busy machine, has no effect here.
ON_THE_CLOCK = (
    *(Case(policy, policy, 5 * SECOND, 7.5 * SECOND, 3) for policy in OVERLAP_POLICIES),
    Case("short catch-up", "buffer_all", 2 * SECOND, 13 * SECOND, 2, catchup=10 * SECOND),
)


def test_previews_come_true_step_by_step(installed: Executable) -> None:
    """Past times are backfilled one by one, and runs are released where the preview says that they end. After each step
    the runs are those of the preview, and at the end the number of skipped starts is too."""
    older, newer = on_both(lambda client: (_step_by_step(client, case) for case in STEPS))
    assert [preview.scheduler for _, preview, _ in (*older, *newer)] == ["workflow"] * 7 + ["chasm"] * 7
    for case, preview, state in (*older, *newer):
        check(preview, case.policy, state)


async def _step_by_step(client: Client, case: Case) -> Tried:
    new = case.schedule(PAST, workflow_type="Held", input=(bool(case.cancel),), paused=True)
    await create_schedule(client, new)
    preview = await preview_schedule(client, case.name, case.options(PAST))
    expected = outcome_of(preview, case.policy)
    ends = {start.ended for start in expected.starts if start.ended}
    seen = await look(client, case.name, preview.times)
    for moment in sorted({*preview.times, *ends}):
        if moment in preview.times:
            await backfill_schedule(client, case.name, moment, moment)
        else:
            await _release(client, [start.number for start in expected.starts if start.ended == moment], seen)
        runs = [number for number in expected.ran if (expected.starts[number - 1].started or moment) <= moment]
        over = [number for number in runs if (expected.starts[number - 1].ended or moment) <= moment]
        came = sum(due <= moment for due in preview.times)

        def reached(state: State, came: int = came, runs: list[int] = runs, over: list[int] = over) -> bool:
            closed = [number for number, result in state.runs.values() if result]
            begun = [number for number, _ in state.runs.values()]
            # A schedule hears of the end of a run after the run has ended; until then the next start would overlap.
            heard = not any(result for run, (_, result) in state.runs.items() if run in state.counts.running)
            return heard and state.processed(expected) >= came and begun == runs and closed == over

        seen = await until(lambda: look(client, case.name, preview.times), reached, (case, moment, runs, over))
    return case, preview, seen


async def _release(client: Client, numbers: list[int], state: State) -> None:
    for workflow_id, (number, _) in state.runs.items():
        if number in numbers:
            await client.get_workflow_handle(workflow_id).signal(Held.release)


def test_previews_come_true_on_the_clock(installed: Executable) -> None:
    """Schedules with runs longer than their interval of a few seconds match their previews. Only the newer scheduler
    drops starts that waited longer than the catch-up window."""
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
    preview = await preview_schedule(client, case.name, case.options(begin))
    expected = outcome_of(preview, case.policy)

    def over(state: State) -> bool:
        done = state.processed(expected) >= case.times and not state.counts.buffered
        return done and all(result for _, result in state.runs.values())

    every = case.every.total_seconds()  # nothing is missed in between, and a look takes the server some calls
    return case, preview, await until(lambda: look(client, case.name, preview.times), over, case, every)
