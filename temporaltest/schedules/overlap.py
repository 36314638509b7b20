"""What a schedule does that is due again while a run of it is open: an overlap policy, tried on real runs."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

from temporalio.client import (
    ScheduleBackfill,
    ScheduleHandle,
    ScheduleIntervalSpec,
    ScheduleOverlapPolicy,
    ScheduleSpec,
    WorkflowExecutionStatus,
    WorkflowHandle,
)

from ..errors import SetupError
from .state import POLL_SECONDS, ActionCounts, ActionRun, counts, recent

if TYPE_CHECKING:
    from ..isolation.context import CaseContext

Finish = Callable[[WorkflowHandle[Any, Any]], Awaitable[object]]

HOUR = timedelta(hours=1)
EVERY_HOUR = ScheduleSpec(intervals=[ScheduleIntervalSpec(every=HOUR)])
MAX_STARTS = 10
BUFFERING = (ScheduleOverlapPolicy.BUFFER_ONE, ScheduleOverlapPolicy.BUFFER_ALL)


@dataclass(frozen=True)
class Overlap:
    """The outcome of the starts of a schedule, numbered from 1 in the order in which they were due.

    Attributes:
        due: The times of the starts.
        runs: The runs, in the order of their start.
        together: The largest number of runs that were open at the same time.
    """

    policy: ScheduleOverlapPolicy
    due: tuple[datetime, ...]
    runs: tuple[ActionRun, ...]
    together: int

    @property
    def ran(self) -> tuple[int, ...]:
        """Which starts led to a run, in the order in which they ran."""
        return tuple(self.due.index(run.scheduled_at) + 1 for run in self.runs)

    @property
    def skipped(self) -> tuple[int, ...]:
        """Which starts led to none."""
        return tuple(number for number in range(1, len(self.due) + 1) if number not in self.ran)

    @property
    def completed(self) -> tuple[int, ...]:
        """Which runs completed."""
        return self.ended(WorkflowExecutionStatus.COMPLETED)

    @property
    def cancelled(self) -> tuple[int, ...]:
        """Which runs were cancelled, and ended so."""
        return self.ended(WorkflowExecutionStatus.CANCELED)

    @property
    def terminated(self) -> tuple[int, ...]:
        """Which runs were terminated."""
        return self.ended(WorkflowExecutionStatus.TERMINATED)

    def ended(self, status: WorkflowExecutionStatus) -> tuple[int, ...]:
        """Which runs ended so, in the order in which they ran."""
        return tuple(number for number, run in zip(self.ran, self.runs, strict=True) if run.status == status)

    def __str__(self) -> str:
        ends = [f"{number} {run.status.name.lower()}" for number, run in zip(self.ran, self.runs, strict=True)]
        skipped = f"; skipped: {', '.join(map(str, self.skipped))}" if self.skipped else ""
        return f"{self.policy.name.lower()}: {', '.join(ends)}{skipped}; open at once: {self.together}"


def due_times(starts: int) -> tuple[datetime, ...]:
    """The last full hours, one for each start.

    Raises:
        SetupError: Too few starts to overlap, or more than the server remembers.
    """
    if not 2 <= starts <= MAX_STARTS:
        raise SetupError(f"starts must be 2 to {MAX_STARTS} (the number that the server remembers), not {starts}")
    hour = datetime.now(timezone.utc).replace(minute=0, second=0, microsecond=0)
    return tuple(hour - (starts - number) * HOUR for number in range(starts))


class OverlapTrial:
    """Makes a schedule due several times while its first run is open, then lets its runs end."""

    def __init__(
        self, case: CaseContext, handle: ScheduleHandle, policy: ScheduleOverlapPolicy, finish: Finish | None
    ) -> None:
        self._case = case
        self._handle = handle
        self._policy = policy
        self._finish = finish
        self._together = 0

    async def run(self, due: tuple[datetime, ...]) -> Overlap:
        """Make the schedule due at each of these times, and wait until all runs have ended."""
        for number, when in enumerate(due, 1):
            if number > 1 and not await self._open():
                raise SetupError(
                    f"the run of start {number - 1} had ended before start {number} was due, so nothing overlaps: "
                    "let it wait for something that you send with finish=lambda run: run.signal(...)"
                )
            await self._make_due(number, when)
        await self._let_end(len(due))
        return Overlap(self._policy, due, tuple(await recent(self._case.client, self._handle)), self._together)

    async def _make_due(self, number: int, when: datetime) -> None:
        start = when - timedelta(seconds=1)
        await self._handle.backfill(ScheduleBackfill(start_at=start, end_at=when, overlap=self._policy))
        while not self._handled(await counts(self._case.client, self._handle), number):
            await asyncio.sleep(POLL_SECONDS)
        self._together = max(self._together, len(await self._open()))

    def _handled(self, now: ActionCounts, number: int) -> bool:
        waiting = now.buffered if self._policy in BUFFERING else 0
        return now.handled + waiting >= number

    async def _let_end(self, starts: int) -> None:
        ending: set[str] = set()
        while True:
            now = await counts(self._case.client, self._handle)  # asked first: what has begun is seen below
            still = await self._open()
            if now.handled >= starts and not still:
                return
            for run in still:
                if run.workflow_id not in ending:
                    ending.add(run.workflow_id)
                    await self._end(self._case.client.get_workflow_handle(run.workflow_id))
            await asyncio.sleep(POLL_SECONDS)

    async def _end(self, run: WorkflowHandle[Any, Any]) -> None:
        if self._finish is not None:
            await self._finish(run)
        elif self._case.clocks is not None:
            await self._case.clocks.of(run).release()

    async def _open(self) -> list[ActionRun]:
        runs = await recent(self._case.client, self._handle)
        return [run for run in runs if run.status == WorkflowExecutionStatus.RUNNING]
