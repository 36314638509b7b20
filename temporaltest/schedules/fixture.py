"""`temporal_schedules`: when schedules are due and what they start, without waiting for it."""

from __future__ import annotations

from collections.abc import Coroutine
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

from temporalio.client import ScheduleHandle, ScheduleOverlapPolicy, ScheduleSpec

from .client import AsyncSchedules, Workflow
from .overlap import Finish, Overlap
from .state import ActionRun

if TYPE_CHECKING:
    from ..isolation.context import CaseContext

T = TypeVar("T")

SPARE_SECONDS = 10.0


class Schedules:
    """Schedules in tests. They run in real time on the server, so a test reads when they are due and triggers them.

    Every call blocks; `aio` has the same calls to await. Every schedule that a test creates is deleted at its end.
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
        """Create a schedule of a workflow; `spec` may be a cron expression. It is paused: the test triggers it.

        `options` are `id` and those of the SDK's `ScheduleActionStartWorkflow`.

        Raises:
            SetupError: The server rejects it; the message says why.
        """
        return self._run(self.aio.create(spec, workflow, *arguments, overlap=overlap, paused=paused, **options))

    def next_times(
        self, spec: ScheduleSpec | str | ScheduleHandle, count: int = 10, *, after: datetime | None = None
    ) -> list[datetime]:
        """The first `count` times, in UTC, that a schedule is due later than `after` (now); fewer where it ends before.

        The server computes them, with its calendars, time zones, jitter and daylight saving.

        Raises:
            SetupError: The server rejects the spec, or `after` has no time zone.
        """
        return self._run(self.aio.next_times(spec, count, after=after))

    def trigger(self, handle: ScheduleHandle, *, overlap: ScheduleOverlapPolicy | None = None) -> ActionRun | None:
        """Trigger the schedule now; returns the run it started, or None if its overlap policy skipped it.

        Waits for a start that its policy buffers.

        Raises:
            WaitTimeout: The schedule did not start a run within the limit.
        """
        return self._run(self.aio.trigger(handle, overlap=overlap))

    def backfill(
        self,
        handle: ScheduleHandle,
        start: datetime,
        end: datetime,
        *,
        overlap: ScheduleOverlapPolicy | None = None,
    ) -> list[ActionRun]:
        """Run the actions that were due from `start` to `end`, both included; returns the runs it started.

        Returns when every action was started, skipped or dropped; buffered ones have started by then.

        Raises:
            SetupError: The schedule was not due in that time, or 1,000 times or more.
            WaitTimeout: Some actions were not handled within the limit.
        """
        return self._run(self.aio.backfill(handle, start, end, overlap=overlap))

    def runs(self, handle: ScheduleHandle) -> list[ActionRun]:
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
        """Try an overlap policy: make a schedule due `starts` times while a run is open; returns the outcome of each.

        A run must stay open: let it wait for what `finish` does with its handle (`lambda run: run.signal("go")`), or
        sleep in virtual time in a test with time_skipping=True.

        Raises:
            SetupError: A run ended too early, so nothing overlapped.
            WaitTimeout: A run does not end, such as one that ignores cancellation.
        """
        return self._run(self.aio.overlap(policy, workflow, *arguments, starts=starts, finish=finish, **options))

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return self._case.loop.run(work, self._case.guard.limit + SPARE_SECONDS)
