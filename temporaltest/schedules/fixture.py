"""`temporal_schedules`: when schedules are due, and what they do then, without waiting for it."""

from __future__ import annotations

from collections.abc import Coroutine
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

from temporalio.client import ScheduleHandle, ScheduleOverlapPolicy, ScheduleSpec

from .client import AsyncSchedules, Workflow
from .overlap import Finish, Overlap
from .state import Run

if TYPE_CHECKING:
    from ..isolation.context import CaseContext

T = TypeVar("T")

SPARE_SECONDS = 10.0


class Schedules:
    """Schedules in tests. They go by real time on the server, so a test asks when they are due and makes them act.

    Every call blocks; `aio` has the same to be awaited. Every schedule that a test makes is deleted at its end.
    """

    def __init__(self, case: CaseContext) -> None:
        self._case = case
        self.aio = AsyncSchedules(case)

    def create(
        self,
        spec: ScheduleSpec | str,
        workflow: Workflow,
        /,
        *arguments: Any,
        overlap: ScheduleOverlapPolicy = ScheduleOverlapPolicy.SKIP,
        paused: bool = True,
        **options: Any,
    ) -> ScheduleHandle:
        """Make a schedule of a workflow; `spec` may be a cron expression. It is paused: it acts when the test says so.

        `options` are `id` and those of the SDK's `ScheduleActionStartWorkflow`.

        Raises:
            SetupError: The server refuses it; says why.
        """
        return self._run(self.aio.create(spec, workflow, *arguments, overlap=overlap, paused=paused, **options))

    def next_times(
        self, spec: ScheduleSpec | str | ScheduleHandle, count: int = 10, *, after: datetime | None = None
    ) -> list[datetime]:
        """The first `count` times, in UTC, that a schedule is due later than `after` (now); fewer where it ends before.

        The server itself tells them, so calendars, time zones, jitter and daylight saving are its own.

        Raises:
            SetupError: The server refuses the spec, or `after` has no time zone.
        """
        return self._run(self.aio.next_times(spec, count, after=after))

    def trigger(self, handle: ScheduleHandle, *, overlap: ScheduleOverlapPolicy | None = None) -> Run | None:
        """Make the schedule act now; the run it started, or None where its overlap policy skipped it.

        A start that its policy buffers is waited for until it runs.

        Raises:
            WaitTimeout: It did not act within the limit.
        """
        return self._run(self.aio.trigger(handle, overlap=overlap))

    def backfill(
        self,
        handle: ScheduleHandle,
        start: datetime,
        end: datetime,
        *,
        overlap: ScheduleOverlapPolicy | None = None,
    ) -> list[Run]:
        """Make the schedule act for each time it was due from `start` to `end`, both included; the runs it started.

        Comes back when every time was dealt with: with buffering policies, when the last run has started.

        Raises:
            SetupError: It was not due in that time, or 1,000 times or more.
            WaitTimeout: Not all was dealt with within the limit.
        """
        return self._run(self.aio.backfill(handle, start, end, overlap=overlap))

    def runs(self, handle: ScheduleHandle) -> list[Run]:
        """Every workflow that the schedule started, oldest first."""
        return self._run(self.aio.runs(handle))

    def overlap(
        self,
        policy: ScheduleOverlapPolicy,
        workflow: Workflow,
        /,
        *arguments: Any,
        starts: int = 4,
        finish: Finish | None = None,
        **options: Any,
    ) -> Overlap:
        """Try a policy: make a schedule due `starts` times, each while a run is open, and tell what became of each.

        A run has to last: it waits for what `finish` then does with its handle (`lambda run: run.signal("go")`), or
        sleeps in virtual time in a test marked time_skipping.

        Raises:
            SetupError: A run ended too early for anything to overlap.
            WaitTimeout: A run does not end, such as one that heeds no cancellation.
        """
        return self._run(self.aio.overlap(policy, workflow, *arguments, starts=starts, finish=finish, **options))

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return self._case.loop.run(work, self._case.guard.limit + SPARE_SECONDS)
