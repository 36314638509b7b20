"""Tables: columns as wide as needed, and blocks where a terminal is too narrow."""

from __future__ import annotations

import click

from devserver.cli.render.table import TableRow, block, table_lines
from devserver.cli.render.terminal import wrapped


def test_columns_are_as_wide_as_their_widest_cell() -> None:
    """Lines have no trailing blanks and do not wrap, and wide characters count as two columns."""
    wide = "x" * 300
    assert table_lines([("a", "1"), ("日本", "22"), (wide, "3")], ("NAME", "N")) == [
        f"{'NAME':<300}  N",
        f"{'a':<300}  1",
        f"日本{'':<296}  22",
        f"{wide}  3",
    ]
    assert table_lines([("[red]", ":smile:")]) == ["[red]  :smile:"]
    assert table_lines([("a", ""), ("b", "")], ("NAME", "NOTE")) == ["NAME  NOTE", "a", "b"]


def test_a_block_that_is_too_wide_shows_cells_below_the_label() -> None:
    """The same rows are shown in 80 and in 20 columns."""
    rows = [TableRow("orders (workflow)", ["backlog 12", "pollers 1"], "a note"), TableRow("x", ["backlog 0"])]
    assert [click.unstyle(line) for line in block("task queues", rows, 10, 80)] == [
        "task queues",
        "  orders (workflow)  backlog 12  pollers 1",
        "    a note",
        "  x                  backlog 0",
    ]
    assert [click.unstyle(line) for line in block("task queues", rows, 1, 20)] == [
        "task queues",
        "  orders (workflow)",
        "    backlog 12",
        "    pollers 1",
        "    a note",
        "  and 1 more (--limit, --json)",
    ]


def test_wrapped_text_keeps_words_whole() -> None:
    """An id can be copied, even where it is wider than the terminal."""
    name = "order-" + "1" * 60
    assert wrapped(f"the workflow {name} is stuck", "  ", "    ", width=40) == [
        "  the workflow",
        f"      {name}",
        "      is stuck",
    ]
