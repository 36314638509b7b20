"""Writes a trace's page row by row: the whole file, or nothing."""

from __future__ import annotations

import shutil
from datetime import datetime, timezone
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import IO, TYPE_CHECKING, TextIO

from ...history.reader import HistoryReader
from ...history.run_chain import RunChain
from ...system.html_page import page_file, page_templates
from .. import formatting
from ..tree import RunBegins, TraceOptions, walk
from .heading import PageHeading, web_ui_link
from .rows import PageRows
from .scale import PageScale, scale_of

if TYPE_CHECKING:
    from jinja2 import Environment

MAX_ROWS = 20_000
SPOOL = 4_000_000  # bytes of rows in memory


async def write_page(
    reader: HistoryReader,
    chain: RunChain,
    options: TraceOptions,
    file: Path,
    *,
    where: str,
    ui: str | None = None,
    now: datetime | None = None,
) -> int:
    """Write the page of a trace into `file`; the number of its rows, at most 20,000.

    An existing page stays until the new one is complete.

    Args:
        where: The server's name on the page.
        ui: The address of the server's Web UI, for a link; None without one.
        now: The time at which open steps are shown; None: the current time.

    Raises:
        PageNotWritten: The file cannot be written; no part of it is left.
        CannotAsk: The server does not answer.
    """
    with page_file(file) as out:
        return await _write(reader, chain, options, out, where=where, ui=ui, now=now or datetime.now(timezone.utc))


async def _write(
    reader: HistoryReader,
    chain: RunChain,
    options: TraceOptions,
    out: TextIO,
    *,
    where: str,
    ui: str | None,
    now: datetime,
) -> int:
    """Write the rows aside first: the head shows what is known once they are read."""
    scale = scale_of(chain, now)
    environment = page_templates("devserver.trace.page")
    newest, heading = chain.newest, PageHeading(reader.converter, now)
    with SpooledTemporaryFile(SPOOL, "w+", encoding="utf-8", errors="replace") as body:
        count, cut = await _write_rows(reader, chain, options, body, environment, scale, heading, now)
        head = environment.get_template("head.html")
        out.write(
            head.render(
                chain=chain,
                where=where,
                web_ui=web_ui_link(ui, chain),
                details=heading.details,
                state=formatting.run_state(newest, now + newest.ahead)
                if len(chain.runs) == 1
                else newest.status.replace("_", " "),
                status=newest.status,
                now=f"{now:%Y-%m-%d %H:%M:%S} UTC",
                marks=scale.marks(),
                grid=scale.grid(),
                milliseconds=round(scale.seconds * 1000),
            )
        )
        body.seek(0)
        shutil.copyfileobj(body, out)
    out.write(environment.get_template("foot.html").render(cut=cut, most=MAX_ROWS))
    return count


async def _write_rows(
    reader: HistoryReader,
    chain: RunChain,
    options: TraceOptions,
    body: IO[str],
    environment: Environment,
    scale: PageScale,
    heading: PageHeading,
    now: datetime,
) -> tuple[int, bool]:
    """Write the rows; how many, and whether there were more."""
    template = environment.get_template("row.html")
    rows = PageRows(reader.converter, scale, now, missing=reader.missing_run)
    count = 0
    async for item in walk(reader, chain, options):
        if isinstance(item, RunBegins) and not item.depth:
            await heading.add(item.run)
        row = await rows.row(item)
        if row is None:
            continue
        if count >= MAX_ROWS:
            return count, True
        count += 1
        body.write(template.render(row=row))
    return count, False
