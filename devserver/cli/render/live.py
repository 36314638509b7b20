"""Live views: one picture redrawn in place on a terminal, and `--watch`, which looks again and again."""

from __future__ import annotations

import asyncio
import shutil
import sys
from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import datetime
from types import TracebackType
from typing import Any, Generic, Literal, Protocol, TypeVar

import click

from ...errors import DevServerError
from .output import echo_json_line
from .terminal import clean, redraws, stamp

T = TypeVar("T")
T_contra = TypeVar("T_contra", contravariant=True)


class LiveView:
    """Lines that are redrawn in place by rich. Use it as a context manager: it gives the terminal back at the end.

    Args:
        draw: Makes the lines, `refresh_per_second` times; without it they are shown by `show`.
        err: Draw on stderr instead of stdout.
        transient: Erase the lines at the end; long lines are cut instead of wrapped.
    """

    def __init__(
        self,
        draw: Callable[[], Iterable[str]] | None = None,
        *,
        refresh_per_second: float = 8,
        err: bool = False,
        transient: bool = False,
    ) -> None:
        self._draw = draw
        self._refresh = refresh_per_second
        self._err = err
        self._transient = transient
        self._live: Any = None

    def __enter__(self) -> LiveView:
        from rich.console import Console
        from rich.live import Live

        context = click.get_current_context(silent=True)
        plain = context is not None and context.color is False
        console = Console(stderr=self._err, highlight=False, no_color=plain, soft_wrap=False)
        self._live = Live(
            console=console,
            auto_refresh=self._draw is not None,
            refresh_per_second=self._refresh,
            get_renderable=None if self._draw is None else lambda: self._picture(self._draw() if self._draw else ()),
            transient=self._transient,
            vertical_overflow="crop",
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """Give the terminal back."""
        if self._live is not None:
            self._live.stop()

    def show(self, lines: Iterable[str]) -> None:
        """Draw these lines now, as far as there is room."""
        self._live.update(self._picture(lines), refresh=True)

    def echo(self, line: str) -> None:
        """Print a line above the picture, where it stays."""
        from rich.text import Text

        self._live.console.print(Text.from_ansi(line))

    def _picture(self, lines: Iterable[str]) -> Any:
        from rich.text import Text

        size = shutil.get_terminal_size()
        columns = sys.maxsize if self._transient else size.columns
        shown, left = _fitting(list(lines), columns, size.lines - 2)
        if left:
            shown.append(f"... {left} more lines")
        overflow: Literal["ellipsis", "fold"] = "ellipsis" if self._transient else "fold"
        return Text.from_ansi("\n".join(shown), no_wrap=self._transient, overflow=overflow)


def _fitting(lines: Sequence[str], columns: int, rows: int) -> tuple[list[str], int]:
    """The lines that fit, where long ones take several rows, and how many do not."""
    for count, line in enumerate(lines):
        rows -= max(1, -(-len(click.unstyle(line)) // columns))
        if rows < 0:
            return list(lines[:count]), len(lines) - count
    return list(lines), 0


class WatchView(Protocol[T_contra]):
    """Where the results of `--watch` are shown."""

    def show(self, result: T_contra) -> None:
        """A look that succeeded."""

    def failed(self, error: DevServerError) -> None:
        """A look that failed: the server did not answer."""

    def stop(self) -> None:
        """The end."""


class JsonLines(Generic[T]):
    """One line for each look, as `data` makes it; while the server does not answer, one error a line."""

    def __init__(self, data: Callable[[T], Any]) -> None:
        self._data = data

    def show(self, result: T) -> None:
        """Print a result."""
        echo_json_line(**self._data(result))

    def failed(self, error: DevServerError) -> None:
        """Print an error."""
        echo_json_line(**error.to_json())

    def stop(self) -> None:
        """Nothing is to be ended."""


class Screen(Generic[T]):
    """All of a result, as `lines` and `at` make it, redrawn each time; an error is shown above the last result."""

    def __init__(self, seconds: float, lines: Callable[[T], Iterable[str]], at: Callable[[T], datetime]) -> None:
        self._seconds = seconds
        self._lines = lines
        self._at = at
        self._last: list[str] = []
        self._view = LiveView()
        self._view.__enter__()

    def show(self, result: T) -> None:
        """Draw a result."""
        self._last = [*self._lines(result)]
        self._draw(f"{stamp(self._at(result))}, every {self._seconds:g} s; Ctrl-C ends")

    def failed(self, error: DevServerError) -> None:
        """Draw the last result below the error."""
        self._draw(click.style(clean(error.message), fg="red", bold=True) + "; last seen:")

    def stop(self) -> None:
        """Leave the last picture on the terminal."""
        self._view.stop()

    def _draw(self, head: str) -> None:
        self._view.show([head, "", *self._last])


async def watch(
    look: Callable[[], Awaitable[T]],
    seconds: float,
    *,
    as_json: bool,
    data: Callable[[T], Any],
    lines: Callable[[T], Iterable[str]],
    at: Callable[[T], datetime],
    changes: WatchView[T],
) -> None:
    """Look at intervals until Ctrl-C. The first look must succeed; a later one may fail and is tried again.

    With `as_json`, each look is a line of JSON made by `data`. On a terminal, the `lines` of a look, made at the time
    `at`, are redrawn in place. Elsewhere `changes` prints lines.

    Raises:
        DevServerError: The first look's.
    """
    result = await look()
    view = JsonLines(data) if as_json else Screen(seconds, lines, at) if redraws() else changes
    try:
        view.show(result)
        while True:
            await asyncio.sleep(seconds)
            try:
                result = await look()
            except DevServerError as error:
                view.failed(error)
            else:
                view.show(result)
    finally:
        view.stop()
