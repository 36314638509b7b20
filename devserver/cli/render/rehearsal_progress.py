"""How a rehearsal is shown while it goes on: a live view on a terminal, lines elsewhere, nothing with --json."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING, Protocol

import click

from ..options.rehearsal import Task, Wanted
from .progress import _on_terminal
from .rehearsal_live import Live
from .rehearsal_words import LANES, beginning, heading, how_far, line

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from ...rehearsal.run.sweep import SweepProgress
    from ...rehearsal.scenario.result import Result
    from ...rehearsal.scenario.timeline import Mark

MOST_LINES = 200  # of activities of one rehearsal


class Progress(Protocol):
    """Whoever shows how it goes."""

    def begin(self, task: Task) -> None:
        """A rehearsal begins."""

    def told(self, mark: Mark) -> None:
        """Something happens."""

    def swept(self, progress: SweepProgress) -> None:
        """A point of a sweep is done."""

    def end(self, result: Result) -> None:
        """A rehearsal has ended."""

    def say(self, text: str) -> None:
        """Something is to be known."""

    def leave(self) -> None:
        """Give the terminal back at once."""


def progress_for(wanted: Wanted) -> AbstractContextManager[Progress]:
    """The view that fits: it writes to stderr, and is a context manager."""
    if wanted.as_json:
        return nullcontext(Silent())
    return Live(wanted) if _on_terminal() else nullcontext(Lines(wanted))


class Silent:
    """Shows nothing."""

    def begin(self, task: Task) -> None:
        """Nothing."""

    def told(self, mark: Mark) -> None:
        """Nothing."""

    def swept(self, progress: SweepProgress) -> None:
        """Nothing."""

    def end(self, result: Result) -> None:
        """Nothing."""

    def say(self, text: str) -> None:
        """Nothing."""

    def leave(self) -> None:
        """Nothing."""


class Lines:
    """A line for each thing that happens; activities only as long as they are few."""

    def __init__(self, wanted: Wanted) -> None:
        self._wanted = wanted
        self._activities = 0
        self._tenth = 0

    def begin(self, task: Task) -> None:
        """Say which."""
        self._activities = self._tenth = 0
        self.say(f"{heading(task, self._wanted)}, seed {task.seed}")
        self.say(f"  {beginning(task, self._wanted)}")

    def told(self, mark: Mark) -> None:
        """Say it."""
        if mark.lane == "activity":
            self._activities += 1
            if self._activities > MOST_LINES:
                if self._activities == MOST_LINES + 1:
                    self.say("  further activities are not shown here")
                return
        if mark.lane in LANES:
            self.say(line(mark))

    def swept(self, progress: SweepProgress) -> None:
        """Say how far it is, for each tenth."""
        tenth = 10 * progress.done // max(progress.total, 1)
        if tenth > self._tenth:
            self._tenth = tenth
            self.say(f"  {how_far(progress)}")

    def end(self, result: Result) -> None:
        """The verdict comes at the end of all."""

    def say(self, text: str) -> None:
        """Write a line."""
        click.echo(text, err=True)

    def leave(self) -> None:
        """Nothing is to be given back."""
