"""Rows of figures on a terminal of any width: in columns where they fit, below their labels where they do not."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import click

from .terminal import clean

INDENT = "  "


@dataclass(frozen=True)
class Row:
    """One line: what it is of, its cells, and what belongs below it."""

    label: str
    cells: Sequence[str]
    note: str = ""


def block(title: str, rows: Sequence[Row], limit: int, width: int) -> Iterator[str]:
    """Rows in columns if all of them fit, else each with its cells below it."""
    if not rows:
        return
    shown = [Row(clean(row.label), [clean(cell) for cell in row.cells], clean(row.note)) for row in rows[:limit]]
    yield click.style(title, fg="cyan")
    lines = _columns(shown)
    fit = all(len(each) <= width for each in lines)
    for row, aligned in zip(shown, lines, strict=True):
        if fit:
            yield aligned
        else:
            yield from wrapped(row.label, width)
            yield from packed(row.cells, width, INDENT * 2 if row.label else INDENT)
        yield from wrapped(row.note, width, INDENT)
    if len(rows) > limit:
        yield f"{INDENT}and {len(rows) - limit} more (--limit, --json)"


def listed(title: str, rows: Sequence[Row], width: int) -> Iterator[str]:
    """Rows whose cells have nothing to do with each other, so that only the labels are in a column."""
    yield click.style(title, fg="cyan")
    labels = max(len(row.label) for row in rows)
    for row in rows:
        yield from packed(
            [f"{row.label.ljust(labels)}  {clean(row.cells[0])}", *map(clean, row.cells[1:])], width, INDENT
        )
        yield from wrapped(clean(row.note), width, INDENT)


def _columns(rows: Sequence[Row]) -> list[str]:
    labels = max(len(row.label) for row in rows)
    count = max(len(row.cells) for row in rows)
    widths = [max(len(row.cells[index]) if index < len(row.cells) else 0 for row in rows) for index in range(count)]
    lines = []
    for row in rows:
        padded = [cell.ljust(width) for cell, width in zip(row.cells, widths, strict=False)]
        lines.append((INDENT + "  ".join([*([row.label.ljust(labels)] if labels else []), *padded])).rstrip())
    return lines


def packed(cells: Sequence[str], width: int, indent: str) -> Iterator[str]:
    """Whole cells, as many on a line as there is room for."""
    now = indent
    for cell in filter(None, cells):
        if now.strip() and len(f"{now}  {cell}") > width:
            yield now
            now = indent + INDENT if indent == INDENT else indent
        now += f"  {cell}" if now.strip() else cell
    if now.strip():
        yield now


def wrapped(text: str, width: int, more: str = "") -> list[str]:
    """Words, as many on a line as there is room for; long ones stay whole, so that they can be copied."""
    indent = INDENT + more
    return textwrap.wrap(
        text, width, initial_indent=indent, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )
