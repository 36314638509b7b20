"""Tables, rendered by rich: in columns as wide as needed, or as blocks where a terminal is too narrow."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import click

from .terminal import clean, wrapped

INDENT = "  "
UNLIMITED = 100_000  # characters


@dataclass(frozen=True)
class TableRow:
    """One line of a block: its label, its cells, and a note below it."""

    label: str
    cells: Sequence[str]
    note: str = ""


def table_lines(rows: Iterable[Sequence[str]], head: Sequence[str] = ()) -> list[str]:
    """Rows in columns below their headings; a line is as long as it needs to be, and ends with no blanks."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    listed = [list(row) for row in rows]
    columns = max((len(row) for row in (head, *listed)), default=0)
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), show_header=bool(head))
    for number in range(columns):
        table.add_column(Text(head[number] if head else ""), no_wrap=True)
    for row in listed:
        table.add_row(*(Text(cell) for cell in row))
    output = io.StringIO()
    Console(file=output, width=UNLIMITED, color_system=None, legacy_windows=False).print(table)
    return [line.rstrip() for line in output.getvalue().splitlines()]


def echo_table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print rows below their headings."""
    for line in table_lines(rows, head):
        click.echo(line)


def block(title: str, rows: Sequence[TableRow], limit: int, width: int) -> Iterator[str]:
    """The first `limit` rows in columns if all of them fit `width`, else each label with its cells below."""
    if not rows:
        return
    shown = [TableRow(clean(row.label), [clean(cell) for cell in row.cells], clean(row.note)) for row in rows[:limit]]
    yield click.style(title, fg="cyan")
    labeled = any(row.label for row in shown)
    lines = table_lines([row.label, *row.cells] if labeled else row.cells for row in shown)
    lines = [INDENT + line for line in lines]
    fit = all(len(line) <= width for line in lines)
    for row, aligned in zip(shown, lines, strict=True):
        if fit:
            yield aligned
        else:
            yield from wrapped(row.label, INDENT, width=width)
            yield from packed(row.cells, width, INDENT * 2 if row.label else INDENT)
        yield from wrapped(row.note, INDENT * 2, width=width)
    if len(rows) > limit:
        yield f"{INDENT}and {len(rows) - limit} more (--limit, --json)"


def facts(title: str, rows: Sequence[TableRow], width: int) -> Iterator[str]:
    """Rows of unrelated cells: only the labels are in a column."""
    yield click.style(title, fg="cyan")
    labels = max(len(row.label) for row in rows)
    for row in rows:
        first = f"{row.label.ljust(labels)}  {clean(row.cells[0])}"
        yield from packed([first, *map(clean, row.cells[1:])], width, INDENT)
        yield from wrapped(row.note, INDENT * 2, width=width)


def packed(cells: Sequence[str], width: int, indent: str) -> Iterator[str]:
    """Whole cells, as many on a line as there is room for."""
    line = indent
    for cell in filter(None, cells):
        if line.strip() and len(f"{line}  {cell}") > width:
            yield line
            line = indent + INDENT if indent == INDENT else indent
        line += f"  {cell}" if line.strip() else cell
    if line.strip():
        yield line
