"""Simulates overlap policies: what a schedule does with a start that is due while an earlier run is still open.

The server has two schedulers. The older one runs a workflow for each schedule and looks at all buffered starts whenever
anything happens. The newer one (CHASM) looks at buffered starts only when a run ends. Two things follow:

- `buffer_one` buffers one start in the older scheduler. The newer one buffers every start, and when the run ends it
  keeps the first two and skips the others.
- Only the newer scheduler drops starts that waited longer than the catch-up window.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

OverlapPolicy = Literal["skip", "buffer_one", "buffer_all", "cancel_other", "terminate_other", "allow_all"]
Scheduler = Literal["workflow", "chasm"]
StartResult = Literal["completed", "canceled", "terminated", "skipped", "replaced", "missed", "waiting"]

OVERLAP_POLICIES: tuple[OverlapPolicy, ...] = (
    "skip",
    "buffer_one",
    "buffer_all",
    "cancel_other",
    "terminate_other",
    "allow_all",
)
ZERO = timedelta(0)
MIN_CATCHUP_WINDOW = timedelta(seconds=5)


@dataclass(frozen=True)
class ScheduledStart:
    """The result of one scheduled time.

    Args:
        number: The position of the time in the schedule, from 1.
        due: The scheduled time.
        result: How the run ended (`completed`, `canceled`, `terminated`), or why no run started: `skipped`, `replaced`
            (a later start took its place in the buffer), `missed` (it waited longer than the catch-up window), or
            `waiting` (it is still in the buffer after all simulated times).
        started, ended: When the run started and ended; None without a run.
    """

    number: int
    due: datetime
    result: StartResult
    started: datetime | None = None
    ended: datetime | None = None

    @property
    def waited(self) -> timedelta:
        """How long the start was in the buffer; zero without a run."""
        return ZERO if self.started is None else self.started - self.due


@dataclass(frozen=True)
class OverlapOutcome:
    """What one policy does with the times of a schedule, one start for each time."""

    policy: OverlapPolicy
    starts: tuple[ScheduledStart, ...]

    @property
    def ran(self) -> tuple[int, ...]:
        """The numbers of the starts that ran, in the order in which they ran."""
        runs = [(start.started, start.number) for start in self.starts if start.started is not None]
        return tuple(number for _, number in sorted(runs))

    @property
    def open_at_once(self) -> int:
        """The largest number of runs that are open at the same time."""
        spans = [(start.started, start.ended) for start in self.starts if start.started and start.ended]
        return max((sum(begin <= started < end for begin, end in spans) for started, _ in spans), default=0)

    def count(self, result: StartResult) -> int:
        """How many starts have this result."""
        return sum(start.result == result for start in self.starts)


@dataclass(frozen=True)
class SimulationSettings:
    """Assumptions of a simulation.

    Args:
        run_length: How long every run takes.
        cancel_length: How long a run takes to end after its cancellation was requested.
        catchup_window: How long a start may wait in the buffer; ignored for the older scheduler.
        scheduler: Which of the server's schedulers to simulate.
    """

    run_length: timedelta
    cancel_length: timedelta = ZERO
    catchup_window: timedelta | None = None
    scheduler: Scheduler = "workflow"


def simulate(due: Sequence[datetime], policy: OverlapPolicy, settings: SimulationSettings) -> OverlapOutcome:
    """Simulate a policy for these times, in order. No run is open at the first one.

    A run that ends exactly at the next time still overlaps with it, because a real run starts a little late.
    """
    simulation = _Simulation(tuple(due), policy, settings)
    for number, moment in enumerate(due, 1):
        simulation.close_before(moment)
        simulation.add(number, moment)
    simulation.close_before(None)
    return OverlapOutcome(policy, tuple(simulation.start(number) for number in range(1, len(due) + 1)))


@dataclass
class _Decision:
    """What to do with the buffered starts; `stop` ends all open runs."""

    begin: list[int] = field(default_factory=list)
    buffer: list[int] = field(default_factory=list)
    skipped: list[int] = field(default_factory=list)
    replaced: list[int] = field(default_factory=list)
    stop: bool = False


def _decide(policy: OverlapPolicy, pending: Sequence[int], *, running: bool) -> _Decision:
    if policy == "allow_all":
        return _Decision(begin=list(pending))
    decision = _Decision()
    for number in pending:
        if not running and not decision.begin:
            decision.begin.append(number)
        elif policy == "skip" or (policy == "buffer_one" and decision.buffer):
            decision.skipped.append(number)
        elif policy in ("buffer_one", "buffer_all"):
            decision.buffer.append(number)
        elif running:
            decision.stop = True
            decision.buffer.append(number)
        else:  # no run is open: the latest start replaces the ones before it
            decision.replaced += decision.begin
            decision.begin = [number]
    return decision


@dataclass
class _OpenRun:
    """An open run, with the end and result expected so far."""

    number: int
    started: datetime
    ends: datetime
    result: StartResult = "completed"


class _Simulation:
    """The state of a schedule: open runs, buffered starts, and starts with a result."""

    def __init__(self, due: tuple[datetime, ...], policy: OverlapPolicy, settings: SimulationSettings) -> None:
        self._due = due
        self._policy = policy
        self._settings = settings
        self._open: dict[int, _OpenRun] = {}
        self._buffer: list[int] = []
        self._done: dict[int, ScheduledStart] = {}

    def add(self, number: int, at: datetime) -> None:
        """Process a start that is due at `at`."""
        if self._settings.scheduler == "chasm":
            self._process([number], at)
        else:
            self._process([*self._take_buffer(), number], at)

    def close_before(self, moment: datetime | None) -> None:
        """End the runs that end before `moment` (all runs for None), and process the buffer after each of them."""
        while self._open:
            run = min(self._open.values(), key=lambda open_run: open_run.ends)
            if moment is not None and run.ends >= moment:
                return
            del self._open[run.number]
            self._finish(run.number, run.result, run.started, run.ends)
            self._process(self._take_buffer(), run.ends)

    def start(self, number: int) -> ScheduledStart:
        """The start with that number; without a result it is still waiting."""
        return self._done.get(number) or ScheduledStart(number, self._due[number - 1], "waiting")

    def _take_buffer(self) -> list[int]:
        taken, self._buffer = self._buffer, []
        return taken

    def _process(self, pending: Sequence[int], at: datetime) -> None:
        decision = _decide(self._policy, pending, running=bool(self._open))
        for number in decision.skipped:
            self._finish(number, "skipped")
        for number in decision.replaced:
            self._finish(number, "replaced")
        if decision.stop:
            self._stop(at)
        for number in decision.begin:
            self._begin(number, at)
        self._buffer += decision.buffer

    def _begin(self, number: int, at: datetime) -> None:
        window = self._settings.catchup_window if self._settings.scheduler == "chasm" else None
        if window is not None and at > self._due[number - 1] + max(window, MIN_CATCHUP_WINDOW):
            self._finish(number, "missed")
        else:
            self._open[number] = _OpenRun(number, at, at + self._settings.run_length)

    def _stop(self, at: datetime) -> None:
        cancels = self._policy == "cancel_other"
        ends = at + self._settings.cancel_length if cancels else at
        for run in self._open.values():
            if ends < run.ends:
                run.ends = ends
                run.result = "canceled" if cancels else "terminated"

    def _finish(
        self, number: int, result: StartResult, started: datetime | None = None, ended: datetime | None = None
    ) -> None:
        self._done[number] = ScheduledStart(number, self._due[number - 1], result, started, ended)
