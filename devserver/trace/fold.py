"""Folds what a run did over and over, and bounds how much of it is told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from ..history.model import Step, StepKind, StepStatus

LONGEST = 10
# So many rounds are told as themselves.
FEWEST_ROUNDS = 3
MOST_ENTRIES = 2000

Key = tuple[str, str]


@dataclass(slots=True)
class RepeatTimes:
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

    pattern: Sequence[RepeatTimes]
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
class OmittedSteps:
    """What a run did beyond the number of entries that are kept: by kind and name, the most frequent first."""

    figures: Sequence[RepeatTimes]
    count: int
    first: int
    started: datetime
    bad: int = 0


DisplayEntry = Step | Repeat | OmittedSteps


def fold(steps: Sequence[Step], *, most: int = MOST_ENTRIES, least: int = FEWEST_ROUNDS) -> list[DisplayEntry]:
    """The steps in their order, with what is repeated told once.

    A sequence of up to 10 steps of the same kinds and names that comes at least `least` times in a row, with nothing
    in between, becomes a `Repeat`; what failed, was retried or still goes on among them is in its `notable`. After
    `most` entries (a notable step counts as one) the remainder becomes one `OmittedSteps`.
    """
    keys = [key(step) for step in steps]
    entries: list[DisplayEntry] = []
    room = most
    at = 0
    while at < len(steps):
        period, rounds = _repetition(keys, at, least)
        length = period * rounds
        room -= 1
        if room < 0 or (room == 0 and at + length < len(steps)):
            entries.append(_rest(steps[at:]))
            break
        if rounds == 1:
            entries.append(steps[at])
        else:
            repeat = _repeat(steps[at : at + length], period, rounds)
            repeat.hidden = max(0, len(repeat.notable) - room)
            del repeat.notable[room:]
            room -= len(repeat.notable)
            entries.append(repeat)
        at += length
    return entries


def key(step: Step) -> Key:
    """What makes two steps alike."""
    return step.kind, step.name


def _repetition(keys: Sequence[Key], at: int, least: int) -> tuple[int, int]:
    """The period and the number of rounds that cover most from here on; the shorter period where that is the same."""
    best, covered = (1, 1), 1
    here, end = keys[at], len(keys)
    for period in range(1, LONGEST + 1):
        if at + period * least > end:
            break
        if keys[at + period] != here:
            continue
        same = at
        while same + period < end and keys[same] == keys[same + period]:
            same += 1
        rounds = 1 + (same - at) // period
        if rounds >= least and rounds * period > covered:
            best, covered = (period, rounds), rounds * period
    return best


def _repeat(steps: Sequence[Step], period: int, rounds: int) -> Repeat:
    pattern = [RepeatTimes(step.kind, step.name) for step in steps[:period]]
    for number, step in enumerate(steps):
        pattern[number % period].add(step)
    closed = [step.closed for step in steps if step.closed is not None]
    return Repeat(
        pattern=pattern,
        count=rounds,
        first=steps[0].event_id,
        last=steps[-1].event_id,
        started=steps[0].scheduled,
        closed=max(closed) if len(closed) == len(steps) else None,
        notable=[step for step in steps if step.notable],
        unfinished=sum(step.status == "unfinished" for step in steps),
    )


def _rest(steps: Sequence[Step]) -> OmittedSteps:
    figures: dict[Key, RepeatTimes] = {}
    for step in steps:
        figures.setdefault(key(step), RepeatTimes(step.kind, step.name)).add(step)
    return OmittedSteps(
        figures=sorted(figures.values(), key=lambda each: -each.count),
        count=len(steps),
        first=steps[0].event_id,
        started=steps[0].scheduled,
        bad=sum(step.bad for step in steps),
    )
