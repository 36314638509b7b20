"""Collapses steps that a run repeated, and limits the number of entries that are shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from ..history.model import Step, StepKind, StepStatus

MAX_PATTERN = 10
MIN_ROUNDS = 3  # fewer rounds are shown step by step
MAX_ENTRIES = 2000

INSTANT: tuple[StepKind, ...] = ("marker", "signal", "cancel")

Key = tuple[str, str]


@dataclass(slots=True)
class RepeatTimes:
    """How often a step of a pattern ran, and how long it took; a timer counts with its duration."""

    kind: StepKind
    name: str
    count: int = 0
    total: timedelta = timedelta(0)
    least: timedelta | None = None
    most: timedelta | None = None

    def add(self, step: Step) -> None:
        """Add a step; one that is open adds no time."""
        self.count += 1
        time = step.duration if step.kind == "timer" else step.took
        if time is None:
            return
        self.total += time
        self.least = time if self.least is None or time < self.least else self.least
        self.most = time if self.most is None or time > self.most else self.most


@dataclass(slots=True)
class Repeat:
    """Steps that were repeated: `charge, ship, timer`, 3,333 times.

    Attributes:
        pattern: The steps of one round, with their times over all rounds.
        count: The number of rounds.
        first, last: Event ids of the first and the last step.
        started, closed: When the first step was scheduled, and when the last one closed; None while one is open.
        notable: The steps that failed, were retried or canceled, or are open, in their order: these are always shown.
        hidden: The number of notable steps beyond the limit of entries.
        unfinished: The number of steps that were open when the run closed.
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
    def timed(self) -> bool:
        """Whether the time of the whole says something: not of markers, nor where a step's duration is unknown."""
        return any(times.kind not in INSTANT for times in self.pattern) and all(
            times.least is not None for times in self.pattern if times.kind == "local_activity"
        )

    @property
    def status(self) -> StepStatus:
        """The status of the whole; steps that failed are in `notable`."""
        if self.closed is None:
            return "running"
        return "unfinished" if self.unfinished else "completed"


@dataclass(slots=True)
class OmittedSteps:
    """Steps beyond the limit of entries: counted by kind and name, the most frequent first."""

    figures: Sequence[RepeatTimes]
    count: int
    first: int
    started: datetime
    bad: int = 0


DisplayEntry = Step | Repeat | OmittedSteps


def fold(steps: Sequence[Step], *, most: int = MAX_ENTRIES, least: int = MIN_ROUNDS) -> list[DisplayEntry]:
    """The steps in their order, with repeated ones collapsed.

    A sequence of up to 10 steps of the same kinds and names that comes at least `least` times in a row becomes a
    `Repeat`. After `most` entries (a notable step counts as one) the remaining steps become one `OmittedSteps`.
    """
    # As characters, because texts are compared fastest: there can be 50,000 steps.
    numbers: dict[Key, str] = {}
    keys = "".join([numbers.setdefault((step.kind, step.name), chr(len(numbers))) for step in steps])
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
    """Two steps with the same key are alike."""
    return step.kind, step.name


def _repetition(keys: str, at: int, least: int) -> tuple[int, int]:
    """The period and the number of rounds that cover the most steps from here; the shorter period of equal ones."""
    best, covered = (1, 1), 1
    here, end = keys[at], len(keys)
    for period in range(1, MAX_PATTERN + 1):
        if at + period * least > end:
            break
        if keys[at + period] != here:
            continue
        rounds = 1 + _same(keys, at, at + period) // period
        if rounds >= least and rounds * period > covered:
            best, covered = (period, rounds), rounds * period
    return best


def _same(keys: str, one: int, other: int) -> int:
    """How many characters are the same from two places on."""
    most, length, step = len(keys) - other, 0, 1
    while length < most:  # longer and longer pieces, and shorter ones where they begin to differ
        size = min(step, most - length)
        if keys[one + length : one + length + size] == keys[other + length : other + length + size]:
            length, step = length + size, step * 2
        elif size == 1:
            break
        else:
            step, most = 1, min(most, length + size)
    return length


def _repeat(steps: Sequence[Step], period: int, rounds: int) -> Repeat:
    pattern = [RepeatTimes(step.kind, step.name) for step in steps[:period]]
    for place, times in enumerate(pattern):
        for step in steps[place::period]:
            times.add(step)
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
        figures=sorted(figures.values(), key=lambda times: -times.count),
        count=len(steps),
        first=steps[0].event_id,
        started=steps[0].scheduled,
        bad=sum(step.bad for step in steps),
    )
