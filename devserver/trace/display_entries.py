"""What is shown of a run: steps as they are, steps that were done over and over, and the rest of too many."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from .model import Step, StepKind, StepStatus


@dataclass(slots=True)
class Figures:
    """How often a step of a pattern was done and how long that took; timers count with the time they were set to."""

    kind: StepKind
    name: str
    count: int = 0
    total: timedelta = timedelta(0)
    least: timedelta | None = None
    most: timedelta | None = None

    def add(self, step: Step) -> None:
        """Count one more; the time of one that is open does not count."""
        self.count += 1
        time = step.duration if step.kind == "timer" else step.took
        if time is None:
            return
        self.total += time
        self.least = time if self.least is None or time < self.least else self.least
        self.most = time if self.most is None or time > self.most else self.most


@dataclass(slots=True)
class Repeat:
    """Steps that were done over and over: `charge, ship, timer`, 3,333 times.

    Attributes:
        pattern: One entry for each step of the pattern, with its figures over all rounds.
        count: How many rounds.
        first, last: Event ids of the first and the last step.
        started, closed: When the first step was scheduled, and the last one to close did; None while one is open.
        notable: The steps among them that failed, were retried, still go on or were cancelled, in their order: these
            are never folded away.
        hidden: How many more of these there are than is kept.
        unfinished: How many were open when the run ended.
    """

    pattern: Sequence[Figures]
    count: int
    first: int
    last: int
    started: datetime
    closed: datetime | None
    notable: list[Step] = field(default_factory=list)
    hidden: int = 0
    unfinished: int = 0

    @property
    def status(self) -> StepStatus:
        """How the whole of it went; what failed in it is told in `notable`."""
        if self.closed is None:
            return "running"
        return "unfinished" if self.unfinished else "completed"


@dataclass(slots=True)
class Rest:
    """What a run did beyond the number of entries that are kept: by kind and name, the most frequent first."""

    figures: Sequence[Figures]
    count: int
    first: int
    started: datetime
    bad: int = 0


Entry = Step | Repeat | Rest
