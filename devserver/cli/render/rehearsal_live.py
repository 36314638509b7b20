"""Where the progress of a rehearsal is shown: in the terminal, and with --live on a page too."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

import click

from .progress import on_terminal
from .rehearsal_progress import RehearsalLines, RehearsalProgress, RehearsalScreen
from .rehearsal_timeline import TimelineScreen

if TYPE_CHECKING:
    from ...rehearsal.live import LivePage
    from ...rehearsal.run.run_executor import RunExecutor
    from ...rehearsal.run.sweep import SweepProgress
    from ...rehearsal.scenario.result import Result
    from ...rehearsal.scenario.timeline import Mark
    from ..options.rehearsal import RehearsalRequest, RehearsalTask


@contextlib.contextmanager
def live_page(request: RehearsalRequest) -> Iterator[LivePage | None]:
    """The live page of a call, for the time of the block; None without --live."""
    if not request.live:
        yield None
        return
    from ...rehearsal.live import LivePage
    from .browser import open_in_browser

    with LivePage(request.total) as page:
        click.echo(f"live: {page.url}", err=True)
        page.opening = on_terminal() and open_in_browser(page.url, ", or watch it below")
        yield page


def progress_for(request: RehearsalRequest) -> AbstractContextManager[RehearsalProgress]:
    """The view for stderr, as a context manager."""
    if request.as_json:
        return contextlib.nullcontext(RehearsalProgress())
    if not on_terminal():
        return contextlib.nullcontext(RehearsalLines(request))
    return TimelineScreen(request) if request.live else RehearsalScreen(request)


class LiveProgress(RehearsalProgress):
    """Shows the progress on the live page, and where it is shown without one.

    Args:
        shown: Where it is shown too.
        page: The live page.
        sweep: What a sweep kills.
    """

    def __init__(self, shown: RehearsalProgress, page: LivePage, sweep: str | None) -> None:
        self._shown = shown
        self._page = page
        self._sweep = sweep

    def begin(self, task: RehearsalTask) -> None:
        """A rehearsal starts."""
        self._shown.begin(task)
        self._page.begin(task.scenario, task.number, task.seed, self._sweep)

    def run(self, executor: RunExecutor) -> None:
        """A run of its runbook starts."""
        self._shown.run(executor)
        self._page.run(executor.present, undisturbed=executor.undisturbed)

    def event(self, mark: Mark) -> None:
        """Something happens."""
        self._shown.event(mark)

    def swept(self, progress: SweepProgress) -> None:
        """A point of a sweep begins or is done."""
        self._shown.swept(progress)
        self._page.swept(progress)

    def add(self, result: Mapping[str, Any]) -> None:
        """A rehearsal has ended, with this result of the report."""
        self._page.end(result)

    def end(self, result: Result) -> None:
        """A rehearsal has ended."""
        self._shown.end(result)

    def note(self, text: str) -> None:
        """Print a line that stays."""
        self._shown.note(text)

    def stop(self) -> None:
        """Give the terminal back at once."""
        self._shown.stop()
