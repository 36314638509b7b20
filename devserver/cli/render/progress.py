"""The progress of long work: a bar on a terminal, lines elsewhere, nothing with --quiet."""

from __future__ import annotations

import os
import sys
import time
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from types import TracebackType

    from rich.progress import Progress, TaskID

LINE_SECONDS = 5.0
LINE_SHARE = 0.1
_MEGA = 1_000_000


class CliReporter:
    """Writes to stderr. Use it as a context manager, so that the bar is removed at the end.

    Args:
        quiet: Write nothing.
        terminal: Draw a bar; None asks whether stderr is a terminal and this is not CI.
    """

    def __init__(self, *, quiet: bool = False, terminal: bool | None = None) -> None:
        self._quiet = quiet
        self._terminal = on_terminal() if terminal is None else terminal
        self._bar: Progress | None = None
        self._task: TaskID | None = None
        self._what = ""
        self._line_at = 0.0
        self._line_share = 0.0

    def note(self, text: str) -> None:
        """Print a line."""
        if not self._quiet:
            self._end_bar()
            click.echo(text, err=True)

    def warn(self, text: str) -> None:
        """Print a warning."""
        if not self._quiet:
            self._end_bar()
            click.echo(click.style("warning: ", fg="yellow", bold=True) + text, err=True)

    def progress(self, what: str, done: int, total: int | None) -> None:
        """Move the bar, or print a line now and then."""
        if self._quiet:
            return
        if self._terminal:
            self._draw(what, done, total)
        else:
            self._print(what, done, total)

    def _draw(self, what: str, done: int, total: int | None) -> None:
        if self._bar is None or self._task is None or what != self._what:
            self._end_bar()
            self._bar, self._task = _bar(what, total)
            self._what = what
        self._bar.update(self._task, completed=done, total=total)

    def _print(self, what: str, done: int, total: int | None) -> None:
        """At most one line for each tenth and each few seconds, and one at the end."""
        now = time.monotonic()
        share = done / total if total else 0.0
        if what != self._what or share < self._line_share:
            self._what, self._line_at, self._line_share = what, now, 0.0
        ended = total is not None and done >= total
        late = now - self._line_at >= LINE_SECONDS
        if not ended and not (late and (total is None or share - self._line_share >= LINE_SHARE)):
            return
        self._line_at, self._line_share = now, share
        of = f" of {total / _MEGA:.1f} MB ({share:.0%})" if total else " MB"
        click.echo(f"{what}: {done / _MEGA:.1f}{of}", err=True)

    def _end_bar(self) -> None:
        if self._bar is not None:
            self._bar.stop()
            self._bar = self._task = None

    def __enter__(self) -> CliReporter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end_bar()


def on_terminal() -> bool:
    """Whether stderr is a terminal that a person watches."""
    return sys.stderr.isatty() and not os.environ.get("CI") and os.environ.get("TERM") != "dumb"


def _bar(what: str, total: int | None) -> tuple[Progress, TaskID]:
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    bar = Progress(*columns, console=Console(stderr=True), transient=True)
    bar.start()
    return bar, bar.add_task(what, total=total)
