"""Writes a trace's page row by row: the whole file, or nothing."""

from __future__ import annotations

import contextlib
import os
import stat
import tempfile
from collections.abc import AsyncIterator
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from ...errors import DevServerError
from ...history.reader import HistoryReader
from ...history.run_chain import RunChain
from ...system.files import NO_ROOM
from ...system.printable import visible
from ...system.timefmt import lasted
from .. import formatting
from ..tree import TraceOptions, walk
from .rows import PageRow, PageRows, PageScale, scale_of

if TYPE_CHECKING:
    from jinja2 import Environment

MAX_ROWS = 20_000
TICKS = 4


class PageNotWritten(DevServerError):
    """The page cannot be written: permissions, a missing folder, a full disk."""


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

    A temporary file is written and renamed, so that an existing page stays until the new one is complete. An existing
    file keeps its mode, and a symbolic link its target.

    Args:
        where: The server's name on the page.
        now: The time at which open steps are shown; None: the current time.

    Raises:
        PageNotWritten: The file cannot be written; no part of it is left.
        CannotAsk: The server does not answer.
    """
    aside: Path | None = None
    try:
        target = file.resolve()
        descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=".trace-", suffix=".part")
        aside = Path(name)
        # JSON may contain lone surrogates, which are not text.
        with os.fdopen(descriptor, "w", encoding="utf-8", errors="replace") as out:
            count = await _write(reader, chain, options, out, where, now or datetime.now(timezone.utc))
        aside.chmod(stat.S_IMODE(target.stat().st_mode) if target.exists() else 0o666 & ~_umask())
        aside.replace(target)
        aside = None
        return count
    except OSError as error:
        room = "make room, or " if error.errno in NO_ROOM else ""
        raise PageNotWritten(
            f"cannot write the page to {file}: {error.strerror}", hint=f"{room}choose another file with --html"
        ) from error
    finally:
        if aside is not None:
            with contextlib.suppress(OSError):
                aside.unlink()


def _umask() -> int:
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


async def _write(
    reader: HistoryReader, chain: RunChain, options: TraceOptions, out: TextIO, where: str, now: datetime
) -> int:
    scale = scale_of(chain, now)
    environment = _environment()
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


def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    return Environment(
        loader=PackageLoader("devserver.trace.page", "templates"),
        autoescape=True,
        finalize=_visible,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _visible(value: object) -> object:
    """What is put into the page, without control characters: names and messages come from others."""
    return visible(value, keep="\n\t") if type(value) is str else value
