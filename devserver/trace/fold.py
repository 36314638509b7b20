"""Folds what a run did over and over, and bounds how much of it is told."""

from __future__ import annotations

from collections.abc import Sequence

from .display_entries import Entry, Figures, Repeat, Rest
from .model import Step

LONGEST = 10
# So many rounds are told as themselves.
FEWEST_ROUNDS = 3
MOST_ENTRIES = 2000

Key = tuple[str, str]


def fold(steps: Sequence[Step], *, most: int = MOST_ENTRIES, least: int = FEWEST_ROUNDS) -> list[Entry]:
    """The steps in their order, with what is repeated told once.

    A sequence of up to 10 steps of the same kinds and names that comes at least `least` times in a row, with nothing
    in between, becomes a `Repeat`; what failed, was retried or still goes on among them is in its `notable`. After
    `most` entries (a notable step counts as one) the remainder becomes one `Rest`.
    """
    keys = [key(step) for step in steps]
    entries: list[Entry] = []
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
    pattern = [Figures(step.kind, step.name) for step in steps[:period]]
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


def _rest(steps: Sequence[Step]) -> Rest:
    figures: dict[Key, Figures] = {}
    for step in steps:
        figures.setdefault(key(step), Figures(step.kind, step.name)).add(step)
    return Rest(
        figures=sorted(figures.values(), key=lambda each: -each.count),
        count=len(steps),
        first=steps[0].event_id,
        started=steps[0].scheduled,
        bad=sum(step.bad for step in steps),
    )
