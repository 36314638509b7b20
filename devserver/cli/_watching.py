"""`--watch`: looks again and again; redraws a terminal, and elsewhere says what has changed, line by line."""

from __future__ import annotations

import asyncio
import shutil
import sys
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Protocol, TypeVar

import click

from ..errors import DevServerError

T = TypeVar("T")
T_contra = TypeVar("T_contra", contravariant=True)

HOME, REST = "\x1b[H", "\x1b[J"


class View(Protocol[T_contra]):
    """Where looks are shown."""

    def show(self, seen: T_contra) -> None:
        """A look that succeeded."""

    def failed(self, error: DevServerError) -> None:
        """A look that did not: the server gave no answer."""


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
