"""The parts of a timeline's picture, in percent of its width, so that it fits any page; what is at one place is one."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

from .text import moment

LEFT = 1.0
RIGHT = 96.0
MOST_TICKS = 5
GRAIN = 0.25  # per cent: what is nearer than this is one point
NARROW = 36  # characters of a label that fit the smallest phone
WIDE = 75  # and a page just above that


@dataclass(frozen=True)
class TimelineShape:
    """A bar, or a point where it has no width: `kind` is its look, `title` what it is."""

    x: float
    width: float
    kind: str
    title: str
    text: str = ""


@dataclass(frozen=True)
class TimelineRow:
    """A line of the picture: its label, and what is on it. `y` is its upper edge in pixels."""

    lane: str
    label: str
    shapes: Sequence[TimelineShape]
    y: int = 0
    troubled: bool = False

    @property
    def wide(self) -> str:
        """The label as it fits a page."""
        return _cut(self.label, WIDE)

    @property
    def narrow(self) -> str:
        """The label as it fits a phone."""
        return _cut(self.label, NARROW)


@dataclass(frozen=True)
class TimelinePicture:
    """A whole timeline. `lines` are the moments of faults, `omitted` what is not drawn one by one."""

    rows: Sequence[TimelineRow]
    ticks: Sequence[tuple[float, str]]
    lines: Sequence[float]
    height: int
    omitted: Sequence[str]


class TimelineScale:
    """Seconds to per cent."""

    def __init__(self, end: float) -> None:
        self._end = max(end, 0.001)

    def __call__(self, at: float) -> float:
        """Where a moment is."""
        return round(LEFT + (RIGHT - LEFT) * min(max(at, 0.0) / self._end, 1.0), 3)

    def bar(self, at: float, until: float | None, kind: str, title: str, text: str = "") -> TimelineShape:
        """A bar from `at` to `until`."""
        x = self(at)
        return TimelineShape(x, round(self(at if until is None else until) - x, 3), kind, title, text)

    def ticks(self) -> list[tuple[float, str]]:
        """At most a handful of round numbers."""
        rough = self._end / MOST_TICKS
        unit = 10.0 ** math.floor(math.log10(rough))
        step = next(unit * each for each in (1, 2, 5, 10) if unit * each >= rough * 0.999)
        return [(self(step * number), f"{step * number:g} s") for number in range(int(self._end / step) + 1)]


def dots(moments: Iterable[tuple[float, str]], scale: TimelineScale, kind: str) -> list[TimelineShape]:
    """Points, those at the same place as one."""
    found = []
    for _, group in groupby(sorted(moments), key=lambda each: round(scale(each[0]) / GRAIN)):
        here = list(group)
        title = f"{here[0][1]} at {moment(here[0][0])}" + (f" and {len(here) - 1:,} more" if len(here) > 1 else "")
        found.append(TimelineShape(scale(here[0][0]), 0.0, kind, title))
    return found


def merged(bars: Sequence[TimelineShape]) -> list[TimelineShape]:
    """Bars, those at the same place as one."""
    found = []
    for _, group in groupby(bars, key=lambda bar: (bar.kind, round(bar.x / GRAIN))):
        here = list(group)
        more = f" and {len(here) - 1:,} more" if len(here) > 1 else ""
        found.append(TimelineShape(here[0].x, max(bar.width for bar in here), here[0].kind, here[0].title + more))
    return found


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}\N{HORIZONTAL ELLIPSIS}"
