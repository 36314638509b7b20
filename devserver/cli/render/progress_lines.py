"""Progress of a command that takes long: lines on stderr, redrawn in place; on a terminal only, and not in CI."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from .terminal import redraws

if TYPE_CHECKING:
    from .live import LiveView

REDRAW_SECONDS = 0.1


class ProgressLines:
    """Shows lines until `end`, several times a second at most.

    Args:
        delay: Nothing is shown in the first seconds.
        wanted: Nothing is shown if this is false.
    """

    def __init__(self, delay: float = 0.0, *, wanted: bool = True) -> None:
        self._wanted = wanted and redraws(sys.stderr) and not os.environ.get("CI")
        self._view: LiveView | None = None
        self._next = time.monotonic() + delay

    def show(self, lines: Callable[[], Sequence[str]]) -> None:
        """Show these lines, if it is time."""
        now = time.monotonic()
        if not self._wanted or now < self._next:
            return
        self._next = now + REDRAW_SECONDS
        if self._view is None:
            from .live import LiveView

            self._view = LiveView(err=True, transient=True)
            self._view.__enter__()
        self._view.show(lines())

    def end(self) -> None:
        """Erase the lines."""
        if self._view is not None:
            self._view.stop()
            self._view = None
