"""The shapes of a timeline, in percent of its width; shapes at the same place are merged."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from ...system.axis import axis_marks, track_background

GRAIN = 0.25  # percent: closer points are merged
MOST_UNMERGED = 200
MOST_EVENTS = 300
# What the table of events leaves out first, if there are too many.
LAST_WORTH = ("tick", "wait", "effect", "completed", "point")


@dataclass(frozen=True)
class TimelineShape:
    """A bar, or a point if it does not last.

    Attributes:
        x, width: Percent of the track.
        kind: Its CSS class.
        at, until: Seconds; `until` is None for a point and for what has not ended.
        text: What happened, for the table of events.
        flag: The number of a fault.
        event: Its number in the table of events; 0: it is not there.
        merged: The number of further shapes at its place.
    """

    x: float
    width: float
    kind: str
    at: float
    until: float | None
    text: str
    flag: str = ""
    event: int = 0
    merged: int = 0


@dataclass(frozen=True)
class TimelineRow:
    """A line of the timeline: its lane, its label with a few words on its state, and its shapes."""

    lane: str
    label: str
    note: str
    shapes: Sequence[TimelineShape]
    troubled: bool = False

    @property
    def dense(self) -> bool:
        """Whether it has too many shapes for a sign behind each."""
        return len(self.shapes) >= 50


@dataclass(frozen=True)
class TimelineEvent:
    """A line of the table of events. `lane` is the label of its row."""

    number: int
    at: float
    until: float | None
    lane: str
    text: str


@dataclass(frozen=True)
class TimelinePicture:
    """A whole timeline.

    Attributes:
        ticks: Round places of the axis, in percent, with their labels.
        flags: Places of the faults' lines, with their numbers.
        grid: The CSS background of a track.
        events: What the shapes show, in words, by time; `events_left` more are left out.
        omitted: What shares a line.
    """

    rows: Sequence[TimelineRow]
    ticks: Sequence[tuple[float, str]]
    flags: Sequence[tuple[float, str]]
    grid: str
    events: Sequence[TimelineEvent]
    events_left: int
    omitted: Sequence[str]


class TimelineScale:
    """Converts seconds to percent."""

    def __init__(self, end: float) -> None:
        self.end = max(end, 0.001)

    def __call__(self, at: float) -> float:
        """The place of a time."""
        return round(100 * min(max(at, 0.0) / self.end, 1.0), 3)

    def bar(self, at: float, until: float | None, kind: str, text: str, flag: str = "") -> TimelineShape:
        """A bar from `at` to `until`; to the end, if it has none."""
        x = self(at)
        return TimelineShape(x, round(self(self.end if until is None else until) - x, 3), kind, at, until, text, flag)

    def dot(self, at: float, kind: str, text: str) -> TimelineShape:
        """A point."""
        return TimelineShape(self(at), 0.0, kind, at, None, text)

    def ticks(self) -> list[tuple[float, str]]:
        """Round numbers."""
        return [(self(at), label) for at, label in axis_marks(self.end)]

    def grid(self, lines: Sequence[float]) -> str:
        """The CSS background of a track, with lines at these times."""
        return track_background(axis_marks(self.end), self.end, list(lines))


def picture(
    rows: Iterable[TimelineRow], scale: TimelineScale, faults: Sequence[float], omitted: Sequence[str]
) -> TimelinePicture:
    """The timeline of rows: each shape gets its line in the table of events, then crowded ones are merged."""
    drawn = [row for row in rows if row.shapes]
    places = [(number, index) for number, row in enumerate(drawn) for index in range(len(row.shapes))]
    worth = sorted(places, key=lambda place: _worth(drawn[place[0]].shapes[place[1]]))
    listed = sorted(worth[:MOST_EVENTS], key=lambda place: (drawn[place[0]].shapes[place[1]].at, place))
    numbers = {place: number for number, place in enumerate(listed, 1)}
    shaped, events = [], []
    for number, row in enumerate(drawn):
        shapes = [replace(shape, event=numbers.get((number, i), 0)) for i, shape in enumerate(row.shapes)]
        events += [
            TimelineEvent(item.event, item.at, item.until, row.label, item.text) for item in shapes if item.event
        ]
        shaped.append(replace(row, shapes=shapes if len(shapes) < MOST_UNMERGED else merged(shapes)))
    return TimelinePicture(
        rows=shaped,
        ticks=scale.ticks(),
        flags=[(scale(at), str(number)) for number, at in enumerate(faults, 1)],
        grid=scale.grid(faults),
        events=sorted(events, key=lambda event: event.number),
        events_left=len(places) - len(listed),
        omitted=omitted,
    )


def _worth(shape: TimelineShape) -> int:
    return LAST_WORTH[::-1].index(shape.kind) + 1 if shape.kind in LAST_WORTH else 0


def merged(shapes: Sequence[TimelineShape]) -> list[TimelineShape]:
    """The shapes, those of one kind at the same place as one."""
    found = []
    ordered = sorted(shapes, key=lambda shape: (shape.kind, shape.x))
    for _, group in groupby(ordered, key=lambda shape: (shape.kind, round(shape.x / GRAIN))):
        first, *others = group
        width = max([first.width, *(shape.width for shape in others)])
        event = next((shape.event for shape in [first, *others] if shape.event), 0)
        found.append(replace(first, width=width, event=event, merged=len(others)))
    return found
