"""How a rehearsal is shown while it goes on: a live view on a terminal, lines elsewhere, nothing with --json."""

from __future__ import annotations

import time
from collections import deque
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any, Protocol

import click

from ..rehearsal.report.words import clean, seconds
from ._rehearse_wanted import Task, Wanted
from ._report import _on_terminal

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from types import TracebackType

    from rich.text import Text

    from ..rehearsal.result import Result
    from ..rehearsal.sweeps import Progress as Swept
    from ..rehearsal.timeline import Mark

LANES = ("server", "worker", "network", "database", "fault", "drill", "activity", "check")
MOST_LINES = 200  # of activities of one rehearsal
SHOWN = 8
STYLES = {"fault": "bold magenta", "drill": "bold cyan", "server": "blue", "worker": "blue"}


class Progress(Protocol):
    """Whoever shows how it goes."""

    def begin(self, task: Task) -> None:
        """A rehearsal begins."""

    def told(self, mark: Mark) -> None:
        """Something happens."""

    def swept(self, progress: Swept) -> None:
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

    def swept(self, progress: Swept) -> None:
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
            self.say(f"  {mark.at:9.3f} s  {mark.lane:<8}  {what(mark)}")

    def swept(self, progress: Swept) -> None:
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


class Live:
    """What happens now, above it what has just happened, redrawn in place."""

    def __init__(self, wanted: Wanted) -> None:
        self._wanted = wanted
        self._heading = ""
        self._began = time.monotonic()
        self._last: deque[tuple[str, str]] = deque(maxlen=SHOWN)
        self._far = ""
        self._live: Any = None

    def __enter__(self) -> Live:
        from rich.console import Console
        from rich.live import Live as RichLive

        self._live = RichLive(
            get_renderable=self.drawn, console=Console(stderr=True), transient=True, refresh_per_second=8
        )
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.leave()

    def leave(self) -> None:
        """Stop drawing."""
        self._live.stop()

    def drawn(self) -> Text:
        """The picture of now."""
        from rich.text import Text

        text = Text(no_wrap=True, overflow="ellipsis")
        if self._heading:
            text.append(f"{self._heading}  {seconds(time.monotonic() - self._began)}\n", "bold")
        for lane, line in list(self._last):
            text.append(f"{line}\n", STYLES.get(lane, ""))
        text.append(self._far)
        return text

    def begin(self, task: Task) -> None:
        """A rehearsal begins."""
        self._heading = heading(task, self._wanted)
        self._began = time.monotonic()
        self._last.clear()
        self._last.append(("", f"  {beginning(task, self._wanted)}"))
        self._far = ""

    def told(self, mark: Mark) -> None:
        """Something happens."""
        if mark.lane in LANES:
            self._last.append((mark.lane, f"  {mark.at:9.3f} s  {mark.lane:<8}  {what(mark)}"))

    def swept(self, progress: Swept) -> None:
        """A point is done."""
        self._far = f"  {bar(progress)} {how_far(progress)}"

    def end(self, result: Result) -> None:
        """Leave a line with the verdict above."""
        if self._wanted.total == 1:
            return  # it comes at once
        style = {"pass": "green", "fail": "red", "unknown": "yellow"}[result.verdict]
        self._live.console.print(_text(f"{result.verdict.upper():<8} {clean(result.name)}", style))

    def say(self, text: str) -> None:
        """Leave a line above."""
        self._live.console.print(_text(text, ""))


def heading(task: Task, wanted: Wanted) -> str:
    """Which rehearsal it is."""
    turn = f" (turn {task.turn} of {wanted.repeat})" if wanted.repeat > 1 else ""
    return f"[{task.number}/{wanted.total}] {clean(task.scenario.name, 120)}{turn}"


def beginning(task: Task, wanted: Wanted) -> str:
    """What is done before the runbook is broken, which takes a few seconds."""
    first = wanted.sweep or any(getattr(each, "needs_baseline", False) for each in task.scenario.expect)
    return "a server starts" + (", and the runbook runs once with nothing done to it" if first else "")


def what(mark: Mark) -> str:
    """What happens, in a few words."""
    if mark.lane == "activity":
        number = mark.detail.get("attempt", 1)
        return clean(mark.what, 120) + (f", attempt {number}" if number != 1 else "")
    return "up" if mark.lane in ("server", "worker") else clean(mark.what, 200)


def how_far(progress: Swept) -> str:
    """How far a sweep is, in words."""
    left = f", about {seconds(progress.seconds_left)} left" if progress.seconds_left else ""
    return f"{progress.done} of {progress.total} points, {progress.failed} not passed{left}"


def bar(progress: Swept, width: int = 24) -> str:
    """How far a sweep is, as a bar."""
    full = width * progress.done // max(progress.total, 1)
    return f"[{'#' * full}{'.' * (width - full)}]"


def _text(text: str, style: str) -> Any:
    from rich.text import Text

    return Text(text, style)
