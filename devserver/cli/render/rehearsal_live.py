"""The live view of a rehearsal on a terminal: what happens now, below what has just happened, redrawn in place."""

from __future__ import annotations

import time
from collections import deque
from typing import TYPE_CHECKING, Any

from ...rehearsal.report.text import clean, seconds
from ..options.rehearsal import Task, Wanted
from .rehearsal_words import LANES, bar, beginning, heading, how_far, line

if TYPE_CHECKING:
    from types import TracebackType

    from rich.text import Text

    from ...rehearsal.run.sweep import SweepProgress
    from ...rehearsal.scenario.result import Result
    from ...rehearsal.scenario.timeline import Mark

SHOWN = 8
STYLES = {"fault": "bold magenta", "drill": "bold cyan", "server": "blue", "worker": "blue"}


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
        for lane, shown in list(self._last):
            text.append(f"{shown}\n", STYLES.get(lane, ""))
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
            self._last.append((mark.lane, line(mark)))

    def swept(self, progress: SweepProgress) -> None:
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


def _text(text: str, style: str) -> Any:
    from rich.text import Text

    return Text(text, style)
