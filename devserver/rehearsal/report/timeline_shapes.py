"""The shapes of a timeline's picture, in percent of its width; shapes at the same place are merged."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

from .text import moment

LEFT = 1.0
RIGHT = 96.0
MOST_TICKS = 5
GRAIN = 0.25  # percent: closer points are merged
NARROW = 36  # characters of a label that fit the smallest phone
WIDE = 75  # and a page just above that


@dataclass(frozen=True)
class TimelineShape:
    """A bar, or a point if it has no width; `kind` is its CSS class, `title` its tooltip."""

    x: float
    width: float
    kind: str
    title: str
    text: str = ""


@dataclass(frozen=True)
class TimelineRow:
    """A line of the picture: its label and its shapes. `y` is its upper edge in pixels."""

    lane: str
    label: str
    shapes: Sequence[TimelineShape]
    y: int = 0
    troubled: bool = False

    @property
    def wide(self) -> str:
        """The label, cut for a wide page."""
        return _cut(self.label, WIDE)

    @property
    def narrow(self) -> str:
        """The label, cut for a phone."""
        return _cut(self.label, NARROW)


@dataclass(frozen=True)
class TimelinePicture:
    """A whole timeline. `lines` are the times of faults; `omitted` says what shares a line."""

    rows: Sequence[TimelineRow]
    ticks: Sequence[tuple[float, str]]
    lines: Sequence[float]
    height: int
    omitted: Sequence[str]


class TimelineScale:
    """Converts seconds to percent."""

    def __init__(self, end: float) -> None:
        self._end = max(end, 0.001)

    def __call__(self, at: float) -> float:
        """The place of a time."""
        return round(LEFT + (RIGHT - LEFT) * min(max(at, 0.0) / self._end, 1.0), 3)

    def bar(self, at: float, until: float | None, kind: str, title: str, text: str = "") -> TimelineShape:
        """A bar from `at` to `until`."""
        x = self(at)
        return TimelineShape(x, round(self(at if until is None else until) - x, 3), kind, title, text)

    def ticks(self) -> list[tuple[float, str]]:
        """About five round numbers."""
        rough = self._end / MOST_TICKS
        unit = 10.0 ** math.floor(math.log10(rough))
        step = next(unit * item for item in (1, 2, 5, 10) if unit * item >= rough * 0.999)
        return [(self(step * number), f"{step * number:g} s") for number in range(int(self._end / step) + 1)]


def dots(moments: Iterable[tuple[float, str]], scale: TimelineScale, kind: str) -> list[TimelineShape]:
    """Points; those at the same place are merged."""
    found = []
    for _, group in groupby(sorted(moments), key=lambda each: round(scale(each[0]) / GRAIN)):
        here = list(group)
        title = f"{here[0][1]} at {moment(here[0][0])}" + (f" and {len(here) - 1:,} more" if len(here) > 1 else "")
        found.append(TimelineShape(scale(here[0][0]), 0.0, kind, title))
    return found


def merged(bars: Sequence[TimelineShape]) -> list[TimelineShape]:
    """Bars; those at the same place are merged."""
    found = []
    for _, group in groupby(bars, key=lambda bar: (bar.kind, round(bar.x / GRAIN))):
        here = list(group)
        more = f" and {len(here) - 1:,} more" if len(here) > 1 else ""
        found.append(TimelineShape(here[0].x, max(bar.width for bar in here), here[0].kind, here[0].title + more))
    return found


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}\N{HORIZONTAL ELLIPSIS}"
