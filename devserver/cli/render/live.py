"""`--watch`: looks again and again; redraws a terminal, and elsewhere says what has changed, line by line."""

from __future__ import annotations

import asyncio
import json
import shutil
import sys
from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import datetime
from typing import Any, Generic, Protocol, TypeVar

import click

from ...errors import DevServerError
from .terminal import clean, stamp

T = TypeVar("T")
T_contra = TypeVar("T_contra", contravariant=True)

HOME, REST = "\x1b[H", "\x1b[J"


class View(Protocol[T_contra]):
    """Where looks are shown."""

    def show(self, seen: T_contra) -> None:
        """A look that succeeded."""

    def failed(self, error: DevServerError) -> None:
        """A look that did not: the server gave no answer."""


class JsonLines(Generic[T]):
    """One look a line, as `data` makes it; while the server does not answer, one error a line."""

    def __init__(self, form: int, data: Callable[[T], Any]) -> None:
        self._form = form
        self._data = data

    def show(self, seen: T) -> None:
        """A look."""
        click.echo(json.dumps(self._data(seen)))

    def failed(self, error: DevServerError) -> None:
        """No look."""
        click.echo(json.dumps({"form": self._form, **error.to_json()}))


class Screen(Generic[T]):
    """The whole of a look, as `lines` and `at` tell it, drawn anew each time."""

    def __init__(self, seconds: float, lines: Callable[[T], Iterable[str]], at: Callable[[T], datetime]) -> None:
        self._seconds = seconds
        self._lines = lines
        self._at = at
        self._last: list[str] = []

    def show(self, seen: T) -> None:
        """A look."""
        self._last = [*self._lines(seen)]
        self._draw(f"{stamp(self._at(seen))}, again every {self._seconds:g} s; Ctrl-C ends")

    def failed(self, error: DevServerError) -> None:
        """No look: what was seen before stays, below the reason."""
        self._draw(click.style(clean(error.message), fg="red", bold=True) + "; last seen:")

    def _draw(self, head: str) -> None:
        redraw([head, "", *self._last])


async def watch(look: Callable[[], Awaitable[T]], view: View[T], seconds: float) -> None:
    """Look every so often until Ctrl-C. The first look must succeed; a later one may fail and is tried again.

    Raises:
        DevServerError: The first look's.
    """
    view.show(await look())
    while True:
        await asyncio.sleep(seconds)
        try:
            seen = await look()
        except DevServerError as error:
            view.failed(error)
        else:
            view.show(seen)


def redraws() -> bool:
    """Whether stdout is a terminal that can be drawn anew."""
    import os

    return sys.stdout.isatty() and os.environ.get("TERM") != "dumb"


def redraw(lines: Iterable[str]) -> None:
    """Put `lines` in place of what the terminal shows, as far as there is room."""
    size = shutil.get_terminal_size()
    shown, left = _fitting(list(lines), size.columns, size.lines - 2)
    if left:
        shown.append(f"... {left} more lines")
    context = click.get_current_context(silent=True)
    if context is not None and context.color is False:
        shown = [click.unstyle(line) for line in shown]
    click.echo(HOME + "".join(f"{line}\x1b[K\n" for line in shown) + REST, nl=False, color=True)


def _fitting(lines: Sequence[str], columns: int, rows: int) -> tuple[list[str], int]:
    """The lines that fit, where long ones take several rows, and how many do not."""
    for count, line in enumerate(lines):
        rows -= max(1, -(-len(click.unstyle(line)) // columns))
        if rows < 0:
            return list(lines[:count]), len(lines) - count
    return list(lines), 0
