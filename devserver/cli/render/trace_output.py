"""A trace on stdout or in a file: the tree, the JSON document, the page."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from . import symbols

if TYPE_CHECKING:
    from ...history import HistoryReader, RunChain
    from ...trace import TraceOptions
    from ...trace.waits import WaitingPlaces

WRITTEN_AT_ONCE = 100


class _Output:
    """Writes to stdout in large pieces: one call for each line takes longer than all the rest."""

    def __init__(self) -> None:
        self._waiting: list[str] = []

    def write(self, text: str) -> None:
        """Add text."""
        self._waiting.append(text)
        if len(self._waiting) >= WRITTEN_AT_ONCE:
            self._flush()

    def _flush(self) -> None:
        text, self._waiting = "".join(self._waiting), []
        click.echo(text, nl=False)

    def __enter__(self) -> _Output:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None or not issubclass(kind, OSError):
            self._flush()


async def print_tree(
    reader: HistoryReader,
    chain: RunChain,
    wanted: TraceOptions,
    label: str,
    *,
    now: datetime | None = None,
    waits: WaitingPlaces | None = None,
) -> None:
    """Print the tree, and below it where the workflow waits.

    `label`: the server's name. `now`: the time at which open steps are shown; None: the current.
    """
    from ...trace import walk
    from . import trace_waits
    from .trace_texts import heading, tree_width
    from .trace_tree import Tree

    tree = Tree(reader, width=tree_width(), signs=symbols.shows_signs(), depth=wanted.depth, now=now)
    with _Output() as output:
        async for item in walk(reader, chain, wanted):
            for line in await tree.lines(item):
                output.write(line + "\n")
        for line in trace_waits.waiting_lines(waits) if waits is not None else ():
            output.write(line + "\n")
        for line in heading(chain, label):
            output.write(line + "\n")


async def print_json(
    reader: HistoryReader,
    chain: RunChain,
    wanted: TraceOptions,
    address: str | None,
    waits: WaitingPlaces | None = None,
) -> None:
    """Print the document. `address`: the server's; None for files."""
    from ...trace import walk
    from . import trace_waits
    from .trace_json import Document

    document = Document(reader, chain, address, trace_waits.as_json(waits) if waits is not None else None)
    with _Output() as output:
        output.write(document.begin())
        async for item in walk(reader, chain, wanted):
            output.write(await document.piece(item))
        output.write(document.end())


async def write_html(
    reader: HistoryReader,
    chain: RunChain,
    wanted: TraceOptions,
    file: Path,
    label: str,
    *,
    now: datetime | None = None,
    ui: str | None = None,
) -> None:
    """Write the page into a file, and say how many rows it has. `ui`: the address of the server's Web UI."""
    from ...trace.page import write_page

    rows = await write_page(reader, chain, wanted, file, where=label, ui=ui, now=now)
    click.echo(f"{file}: {rows:,} row{'' if rows == 1 else 's'}")
