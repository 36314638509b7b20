"""The timeline of a running rehearsal in a terminal: its lanes grow, and expectations turn green or red."""

from __future__ import annotations

import contextlib
import shutil
import time
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import click

from ...rehearsal.report.text import clean, seconds
from .rehearsal_progress import RehearsalScreen

if TYPE_CHECKING:
    from ...rehearsal.report.timeline_shapes import TimelineRow, TimelineShape
    from ...rehearsal.run.run_executor import RunExecutor
    from ...rehearsal.run.sweep import SweepProgress
    from ..options.rehearsal import RehearsalRequest, RehearsalTask

LABEL = 26  # characters
LEAST_TRACK = 20
MOST_ROWS = 14
MOST_EXPECTATIONS = 8
LEAST_SECONDS = 0.4  # between two pictures
BAD, GOOD, ODD, BUSY = "red", "green", "yellow", "blue"
BARS: dict[str, tuple[str, str | None]] = {
    **dict.fromkeys(("down", "killed", "failed", "over"), ("x", BAD)),
    **dict.fromkeys(("open", "running"), (">", BUSY)),
    "completed": ("=", GOOD),
    "lost": ("?", ODD),
    "up": ("-", BUSY),
    "wait": (".", None),
    "fault": ("#", "magenta"),
    "drill": ("#", "cyan"),
    "span": ("~", None),
}
DOTS: dict[str, tuple[str, str | None]] = {
    "effect": ("o", None),
    "again": ("@", BAD),
    "point": ("|", None),
    "tick": (".", None),
}
STATES = {"pass": ("ok", GOOD), "fail": ("FAIL", BAD), "open": ("...", None)}
POINTS: dict[str, tuple[str, str | None]] = {
    "open": (".", None),
    "running": (">", BUSY),
    "pass": ("=", GOOD),
    "fail": ("x", BAD),
    "unknown": ("?", ODD),
}


class TimelineScreen(RehearsalScreen):
    """The timeline of the rehearsal that runs now, redrawn in place."""

    def __init__(self, request: RehearsalRequest) -> None:
        super().__init__(request)
        self._executor: RunExecutor | None = None
        self._task: RehearsalTask | None = None
        self._progress: SweepProgress | None = None
        self._picture: list[str] = []
        self._drawn = 0.0

    def begin(self, task: RehearsalTask) -> None:
        """Show the scenario."""
        super().begin(task)
        self._executor, self._task, self._progress, self._picture = None, task, None, []

    def run(self, executor: RunExecutor) -> None:
        """Follow a run."""
        self._executor = executor

    def swept(self, progress: SweepProgress) -> None:
        """Fill the map."""
        super().swept(progress)
        self._progress = progress

    def _lines(self) -> Iterator[str]:
        if self._progress is not None:
            yield from super()._lines()
            yield from map_lines(self._progress, shutil.get_terminal_size().columns - 4)
        elif self._executor is None or self._task is None:
            yield from super()._lines()
        else:
            yield click.style(f"{self._heading}  {seconds(time.monotonic() - self._start)}", bold=True)
            if time.monotonic() - self._drawn > LEAST_SECONDS:
                self._drawn = time.monotonic()
                with contextlib.suppress(OSError):  # its files are being made or removed
                    self._picture = self._timeline(self._executor, self._task)
            yield from self._picture
            yield from (line for _, line in list(self._recent)[-3:])

    def _timeline(self, executor: RunExecutor, task: RehearsalTask) -> list[str]:
        from ...rehearsal.live import present_data

        data = present_data(executor.present(), task.scenario.expect)
        return list(timeline_lines(data, shutil.get_terminal_size().columns))


def timeline_lines(data: Mapping[str, Any], width: int) -> Iterator[str]:
    """The lanes of a run, and its expectations, in lines of this width."""
    from ...rehearsal.report.timeline import drawn

    picture = drawn(data)
    track = max(LEAST_TRACK, width - LABEL - 4)
    for row in picture.rows[:MOST_ROWS] if picture else ():
        yield f"  {clean(row.label)[:LABEL]:<{LABEL}}  {_track(row, track)}"
    if picture and len(picture.rows) > MOST_ROWS:
        yield f"  and {len(picture.rows) - MOST_ROWS} more lanes"
    for item in data["expectations"][:MOST_EXPECTATIONS]:
        sign, colour = STATES[item["state"]]
        evidence = f"  {item['evidence']}" if item["state"] == "fail" else ""
        yield click.style(f"  {sign:<4} {item['name']}{evidence}"[: width - 1], fg=colour)


def map_lines(progress: SweepProgress, width: int) -> Iterator[str]:
    """The points of a sweep, a character for each."""
    for start in range(0, len(progress.points), max(width, 1)):
        row = [POINTS[state] for _, state in progress.points[start : start + width]]
        yield "  " + "".join(click.style(sign, fg=colour) for sign, colour in row)


def _track(row: TimelineRow, width: int) -> str:
    cells: list[tuple[str, str | None]] = [(" ", None)] * width
    for shape in sorted(row.shapes, key=lambda item: item.kind in DOTS):
        first = min(int(shape.x * width / 100), width - 1)
        for cell in range(first, max(first + 1, _end(shape, width))):
            cells[cell] = DOTS.get(shape.kind) or BARS.get(shape.kind, ("-", None))
    return "".join(click.style(sign, fg=colour) if colour else sign for sign, colour in cells)


def _end(shape: TimelineShape, width: int) -> int:
    return min(width, round((shape.x + shape.width) * width / 100))
