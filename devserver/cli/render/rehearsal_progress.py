"""The progress of a rehearsal: a live view on a terminal, lines elsewhere, nothing with --json."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from ...rehearsal.report.text import clean, seconds
from ..options.rehearsal import RehearsalRequest, RehearsalTask
from .live import LiveView
from .rehearsal import VERDICT_COLOURS

if TYPE_CHECKING:
    from types import TracebackType

    from ...rehearsal.run.run_executor import RunExecutor
    from ...rehearsal.run.sweep import SweepProgress
    from ...rehearsal.scenario.result import Result
    from ...rehearsal.scenario.timeline import Mark

LANES = ("server", "worker", "network", "database", "fault", "drill", "activity", "check")
COLOURS = {"fault": "magenta", "drill": "cyan", "server": "blue", "worker": "blue"}
MOST_LINES = 200  # of activities of one rehearsal
RECENT = 8
BAR = 24  # characters


class RehearsalProgress:
    """Where the progress is shown; this class shows nothing."""

    def begin(self, task: RehearsalTask) -> None:
        """A rehearsal starts."""

    def run(self, executor: RunExecutor) -> None:
        """A run of its runbook starts."""

    def event(self, mark: Mark) -> None:
        """Something happens."""

    def swept(self, progress: SweepProgress) -> None:
        """A point of a sweep is done."""

    def end(self, result: Result) -> None:
        """A rehearsal has ended."""

    def note(self, text: str) -> None:
        """Print a line that stays."""

    def stop(self) -> None:
        """Give the terminal back at once."""


class RehearsalLines(RehearsalProgress):
    """Prints a line for each event; for activities only the first ones."""

    def __init__(self, request: RehearsalRequest) -> None:
        self._request = request
        self._activities = 0
        self._tenth = 0

    def begin(self, task: RehearsalTask) -> None:
        """Print the scenario and its seed."""
        self._activities = self._tenth = 0
        self.note(f"{_heading(task, self._request)}, seed {task.seed}")
        self.note(f"  {_beginning(task, self._request)}")

    def event(self, mark: Mark) -> None:
        """Print it."""
        if mark.lane == "activity":
            self._activities += 1
            if self._activities > MOST_LINES:
                if self._activities == MOST_LINES + 1:
                    self.note("  further activities are not shown here")
                return
        if mark.lane in LANES:
            self.note(_line(mark))

    def swept(self, progress: SweepProgress) -> None:
        """Print each tenth of the way."""
        tenth = 10 * progress.done // max(progress.total, 1)
        if tenth > self._tenth:
            self._tenth = tenth
            self.note(f"  {_distance(progress)}")

    def end(self, result: Result) -> None:
        """Nothing: all verdicts come at the end."""

    def note(self, text: str) -> None:
        """Print a line."""
        click.echo(text, err=True)

    def stop(self) -> None:
        """Nothing."""


class RehearsalScreen(RehearsalProgress):
    """The rehearsal that runs now and its last events, redrawn in place."""

    def __init__(self, request: RehearsalRequest) -> None:
        self._request = request
        self._heading = ""
        self._start = time.monotonic()
        self._recent: deque[tuple[str, str]] = deque(maxlen=RECENT)
        self._distance = ""
        self._view = LiveView(self._lines, err=True, transient=True)

    def __enter__(self) -> RehearsalScreen:
        self._view.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._view.stop()

    def stop(self) -> None:
        """Stop drawing."""
        self._view.stop()

    def _lines(self) -> Iterator[str]:
        if self._heading:
            yield click.style(f"{self._heading}  {seconds(time.monotonic() - self._start)}", bold=True)
        for lane, shown in list(self._recent):
            yield click.style(shown, fg=COLOURS.get(lane), bold=lane in ("fault", "drill") or None)
        yield self._distance

    def begin(self, task: RehearsalTask) -> None:
        """Show the scenario."""
        self._heading = _heading(task, self._request)
        self._start = time.monotonic()
        self._recent.clear()
        self._recent.append(("", f"  {_beginning(task, self._request)}"))
        self._distance = ""

    def event(self, mark: Mark) -> None:
        """Show it below the last ones."""
        if mark.lane in LANES:
            self._recent.append((mark.lane, _line(mark)))

    def swept(self, progress: SweepProgress) -> None:
        """Move the bar."""
        full = BAR * progress.done // max(progress.total, 1)
        self._distance = f"  [{'#' * full}{'.' * (BAR - full)}] {_distance(progress)}"

    def end(self, result: Result) -> None:
        """Leave a line with the verdict above."""
        if self._request.total > 1:
            text = f"{result.verdict.upper():<8} {clean(result.name)}"
            self._view.echo(click.style(text, fg=VERDICT_COLOURS[result.verdict]))

    def note(self, text: str) -> None:
        """Leave a line above."""
        self._view.echo(text)


def _heading(task: RehearsalTask, request: RehearsalRequest) -> str:
    turn = f" (turn {task.turn} of {request.repeat})" if request.repeat > 1 else ""
    return f"[{task.number}/{request.total}] {clean(task.scenario.name, 120)}{turn}"


def _beginning(task: RehearsalTask, request: RehearsalRequest) -> str:
    """The steps before the runbook is broken, which take a few seconds."""
    baseline = request.sweep or task.scenario.needs_baseline
    return "a server starts" + (", and the runbook runs once undisturbed" if baseline else "")


def _line(mark: Mark) -> str:
    return f"  {mark.at:9.3f} s  {mark.lane:<8}  {_event(mark)}"


def _event(mark: Mark) -> str:
    if mark.lane == "activity":
        number = mark.detail.get("attempt", 1)
        return clean(mark.what, 120) + (f", attempt {number}" if number != 1 else "")
    return "up" if mark.lane in ("server", "worker") else clean(mark.what, 200)


def _distance(progress: SweepProgress) -> str:
    left = f", about {seconds(progress.seconds_left)} left" if progress.seconds_left else ""
    return f"{progress.done} of {progress.total} points, {progress.failed} not passed{left}"
