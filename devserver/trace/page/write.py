"""Writes a trace's page row by row: the whole file, or nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime, timezone
from pathlib import Path
from typing import TextIO

from ...history.reader import HistoryReader
from ...history.run_chain import RunChain
from ...system.html_page import page_file, page_templates
from ...system.timefmt import lasted
from .. import formatting
from ..tree import TraceOptions, walk
from .rows import PageRow, PageRows, PageScale, scale_of

MAX_ROWS = 20_000
TICKS = 4


async def write_page(
    reader: HistoryReader,
    chain: RunChain,
    options: TraceOptions,
    file: Path,
    *,
    where: str,
    now: datetime | None = None,
) -> int:
    """Write the page of a trace into `file`; the number of its rows, at most 20,000.

    An existing page stays until the new one is complete.

    Args:
        where: The server's name on the page.
        now: The time at which open steps are shown; None: the current time.

    Raises:
        PageNotWritten: The file cannot be written; no part of it is left.
        CannotAsk: The server does not answer.
    """
    with page_file(file) as out:
        return await _write(reader, chain, options, out, where, now or datetime.now(timezone.utc))


async def _write(
    reader: HistoryReader, chain: RunChain, options: TraceOptions, out: TextIO, where: str, now: datetime
) -> int:
    scale = scale_of(chain, now)
    environment = page_templates("devserver.trace.page")
    newest = chain.newest
    head = environment.get_template("head.html")
    out.write(
        head.render(
            chain=chain,
            where=where,
            state=formatting.run_state(newest, now + newest.ahead)
            if len(chain.runs) == 1
            else newest.status.replace("_", " "),
            status=newest.status,
            now=f"{now:%Y-%m-%d %H:%M:%S} UTC",
            ticks=_ticks(scale),
            milliseconds=round((scale.end - scale.start).total_seconds() * 1000),
        )
    )
    template = environment.get_template("row.html")
    count, cut = 0, False
    async for row in _rows(reader, chain, options, PageRows(reader.converter, scale, now, missing=reader.missing_run)):
        if count >= MAX_ROWS:
            cut = True
            break
        count += 1
        out.write(template.render(row=row))
    out.write(environment.get_template("foot.html").render(cut=cut, most=MAX_ROWS))
    return count


async def _rows(
    reader: HistoryReader, chain: RunChain, options: TraceOptions, rows: PageRows
) -> AsyncIterator[PageRow]:
    async for item in walk(reader, chain, options):
        row = await rows.row(item)
        if row is not None:
            yield row


def _ticks(scale: PageScale) -> list[str]:
    whole = scale.end - scale.start
    return [lasted(whole * number / TICKS) if number else "0" for number in range(TICKS + 1)]
