"""What a schedule does that is due while a run of it is open: each policy played through as the server does it.

The server has two schedulers. In the older one a schedule is a workflow of the server's own, which looks at all that
waits whenever something happens. In the newer one (CHASM) what waits is looked at again only when a run ends. So
`buffer_one` lets one start wait with the first, and with the second as many as come, of which all but the first two
are skipped when the run ends; and only the second drops what has waited for longer than the catch-up window.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

OverlapPolicy = Literal["skip", "buffer_one", "buffer_all", "cancel_other", "terminate_other", "allow_all"]
Scheduler = Literal["workflow", "chasm"]
StartResult = Literal["completed", "cancelled", "terminated", "skipped", "replaced", "missed", "waiting"]

OVERLAP_POLICIES: tuple[OverlapPolicy, ...] = (
    "skip",
    "buffer_one",
    "buffer_all",
    "cancel_other",
    "terminate_other",
    "allow_all",
)
NOTHING = timedelta(0)
LEAST_CATCHUP = timedelta(seconds=5)


@dataclass(frozen=True)
class ScheduledStart:
    """What became of one time at which the schedule was due; `number` counts from 1.

    `fate` is how its run ended (completed, cancelled, terminated), or why there is none: skipped, replaced (a later
    one took its place while it waited), missed (it waited for longer than the catch-up window), or waiting (it still
    does when all else is over). `started` and `ended` are None where there is no run.
    """

    number: int
    due: datetime
    fate: StartResult
    started: datetime | None = None
    ended: datetime | None = None

    @property
    def waited(self) -> timedelta:
        """How long it was in the buffer before its run began."""
        return NOTHING if self.started is None else self.started - self.due


@dataclass(frozen=True)
class OverlapOutcome:
    """What a policy makes of a schedule's times, a start for each."""

    policy: OverlapPolicy
    starts: tuple[ScheduledStart, ...]

    @property
    def ran(self) -> tuple[int, ...]:
        """The numbers of the starts that led to a run, in the order in which they ran."""
        begun = [(start.started, start.number) for start in self.starts if start.started is not None]
        return tuple(number for _, number in sorted(begun))

    @property
    def open_at_once(self) -> int:
        """The most runs that are open at the same time."""
        spans = [(each.started, each.ended) for each in self.starts if each.started and each.ended]
        return max((sum(a <= begun < b for a, b in spans) for begun, _ in spans), default=0)

    def count(self, fate: StartResult) -> int:
        """How many starts have this fate."""
        return sum(start.fate == fate for start in self.starts)


@dataclass(frozen=True)
class SimulationSettings:
    """By what a schedule goes: how long a run takes, and how long one takes to end after it was asked to be cancelled.

    `catchup_window` is how long a start may wait; only the newer scheduler minds it here.
    """

    run_length: timedelta
    cancel_length: timedelta = NOTHING
    catchup_window: timedelta | None = None
    scheduler: Scheduler = "workflow"


def simulate(due: Sequence[datetime], policy: OverlapPolicy, rules: SimulationSettings) -> OverlapOutcome:
    """What becomes of these times (in order), when no run is open at the first.

    A run that ends at the very moment of the next time still overlaps with it: a real one began a little late.
    """
    play = _Play(tuple(due), policy, rules)
    for number, moment in enumerate(due, 1):
        play.close_before(moment)
        play.arrive(number, moment)
    play.close_before(None)
    return OverlapOutcome(policy, tuple(play.start(number) for number in range(1, len(due) + 1)))


@dataclass
class _Decision:
    """What is done with the starts that wait; `stop` asks for the end of all that is open."""

    begin: list[int] = field(default_factory=list)
    keep: list[int] = field(default_factory=list)
    skipped: list[int] = field(default_factory=list)
    replaced: list[int] = field(default_factory=list)
    stop: bool = False


def _decide(policy: OverlapPolicy, pending: Sequence[int], *, running: bool) -> _Decision:
    if policy == "allow_all":
        return _Decision(begin=list(pending))
    made = _Decision()
    for number in pending:
        if not running and not made.begin:
            made.begin.append(number)
        elif policy == "skip" or (policy == "buffer_one" and made.keep):
            made.skipped.append(number)
        elif policy in ("buffer_one", "buffer_all"):
            made.keep.append(number)
        elif running:
            made.stop = True
            made.keep.append(number)
        else:  # nothing is open any more: the latest takes the place of those that waited for that
            made.replaced += made.begin
            made.begin = [number]
    return made


@dataclass
class _Run:
    """An open run: its fate and end as they are foreseen by now."""

    number: int
    started: datetime
    ends: datetime
    fate: StartResult = "completed"


class _Play:
    """A schedule on its way: what is open, what waits, and what has become of the rest."""

    def __init__(self, due: tuple[datetime, ...], policy: OverlapPolicy, rules: SimulationSettings) -> None:
        self._due = due
        self._policy = policy
        self._rules = rules
        self._open: dict[int, _Run] = {}
        self._waiting: list[int] = []
        self._done: dict[int, ScheduledStart] = {}

    def arrive(self, number: int, at: datetime) -> None:
        """A time has come."""
        if self._rules.scheduler == "chasm":
            self._process([number], at)
        else:
            self._process([*self._take_waiting(), number], at)

    def close_before(self, moment: datetime | None) -> None:
        """End the runs whose end is earlier than `moment` (all for None), and do what follows from each end."""
        while self._open:
            run = min(self._open.values(), key=lambda each: each.ends)
            if moment is not None and run.ends >= moment:
                return
            del self._open[run.number]
            self._note(run.number, run.fate, run.started, run.ends)
            self._process(self._take_waiting(), run.ends)

    def start(self, number: int) -> ScheduledStart:
        """What has become of it."""
        return self._done.get(number) or ScheduledStart(number, self._due[number - 1], "waiting")

    def _take_waiting(self) -> list[int]:
        taken, self._waiting = self._waiting, []
        return taken

    def _process(self, pending: Sequence[int], at: datetime) -> None:
        decision = _decide(self._policy, pending, running=bool(self._open))
        for number in decision.skipped:
            self._note(number, "skipped")
        for number in decision.replaced:
            self._note(number, "replaced")
        if decision.stop:
            self._stop(at)
        for number in decision.begin:
            self._begin(number, at)
        self._waiting += decision.keep

    def _begin(self, number: int, at: datetime) -> None:
        window = self._rules.catchup_window if self._rules.scheduler == "chasm" else None
        if window is not None and at > self._due[number - 1] + max(window, LEAST_CATCHUP):
            self._note(number, "missed")
        else:
            self._open[number] = _Run(number, at, at + self._rules.run_length)

    def _stop(self, at: datetime) -> None:
        cancels = self._policy == "cancel_other"
        ends = at + self._rules.cancel_length if cancels else at
        for run in self._open.values():
            if ends < run.ends:
                run.ends = ends
                run.fate = "cancelled" if cancels else "terminated"

    def _note(
        self, number: int, fate: StartResult, started: datetime | None = None, ended: datetime | None = None
    ) -> None:
        self._done[number] = ScheduledStart(number, self._due[number - 1], fate, started, ended)
