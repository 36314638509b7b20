"""`devserver search`: finds steps of workflows by what happened in them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from ...client.target import Connection
from ...errors import OptionError
from ..options.connection import connection_options, trace_words
from ..options.server import json_option
from ..render import search as text
from ..render.terminal import clean

if TYPE_CHECKING:
    from ...search import Hit, Search, SearchQuery

_CONDITIONS = (
    click.option("--activity", metavar="TYPE", help="Activities of this type; * stands for anything."),
    click.option("--event", "events", multiple=True, metavar="TYPE", help="Has this event: ActivityTaskTimedOut."),
    click.option("--failure", metavar="TEXT", help="In a failure's message, type, stack trace or causes."),
    click.option("--attempts", metavar="NUMBER", help="So many attempts: 3, '>=3', '<2'."),
    click.option("--longer", metavar="TIME", help="Took at least so long: 5s, 200ms. What is open counts until now."),
    click.option("--shorter", metavar="TIME", help="Took at most so long."),
    click.option("--worker", metavar="IDENTITY", help="Of the worker, or the client; * stands for anything."),
    click.option("--build", metavar="ID", help="The worker's build id; * stands for anything."),
    click.option("--since", metavar="TIME", help="Not over before: 2h (ago), or 2026-11-22T15:00."),
    click.option("--until", metavar="TIME", help="Begun by then."),
    click.option("--type", "workflow_type", metavar="TYPE", help="In workflows of this type."),
    click.option("--status", metavar="STATUS", help="In runs of this status: failed, timed-out."),
    click.option("--query", "-q", metavar="FILTER", help="In runs that fit: \"CustomerId = 'ann'\"."),
    click.option("--open/--closed", "open_only", default=None, help="In open runs only, or in closed ones."),
)


def _conditions(function: Any) -> Any:
    for option in reversed(_CONDITIONS):
        function = option(function)
    return function


@click.command()
@click.argument("text", required=False, metavar="[TEXT]")
@_conditions
@click.option("--limit", type=click.IntRange(min=1), default=100, show_default=True, help="Show so many at most.")
@click.option("--index-size", default="1GB", show_default=True, metavar="SIZE", help="The bound of the index.")
@click.option("--rebuild", is_flag=True, help="Forget what is kept of this namespace first.")
@click.option("--no-index", is_flag=True, help="Read all histories, and keep none.")
@connection_options
@json_option
@click.pass_context
def search(
    ctx: click.Context,
    /,
    connection: Connection,
    limit: int,
    index_size: str,
    rebuild: bool,
    no_index: bool,
    as_json: bool,
    **conditions: Any,
) -> None:
    """Find activities, timers, children, signals, updates and all else in open and closed workflows, the newest first.

    TEXT is looked for in names and failures. All conditions must fit the same step. Without one on steps, workflows
    are listed. Histories of closed workflows are kept in an index on this machine, so the next search is fast.

    Exits 0 when something was found, 1 when nothing was, 4 when the server cannot be asked.
    """
    import asyncio

    from ..options.search import size, wanted_of

    wanted = wanted_of(conditions)
    if not (wanted.about_steps or wanted.about_runs or rebuild):
        raise OptionError(
            "there is nothing to search for", hint="for example: devserver search --event ActivityTaskFailed --since 2h"
        )
    if rebuild and no_index:
        raise OptionError("--rebuild makes the index anew, --no-index has none", hint="give one of them")
    only_rebuild = not (wanted.about_steps or wanted.about_runs)
    how = {
        "limit": 0 if only_rebuild else limit,
        "most_bytes": size(index_size, "--index-size"),
        "rebuild": rebuild,
        "folder": None if no_index else _folder(),
    }
    found = asyncio.run(_search(connection, wanted, how, as_json))
    ctx.exit(0 if found or only_rebuild else 1)


def _folder() -> Any:
    from ...system.paths import Paths

    return Paths.default().histories


async def _search(connection: Connection, wanted: SearchQuery, how: dict[str, Any], as_json: bool) -> int:
    from ...client.target import connect, find_target
    from ...search import Search

    target = find_target(connection)
    bar = text.Bar()
    search = Search(await connect(target), wanted, watch=bar.show if bar.wanted else None, **how)
    found, last = 0, None
    try:
        async for hit in search:
            bar.hide()
            _print(hit, as_json)
            found, last = found + 1, hit
    finally:
        bar.hide()
        for note in search.notes:
            click.echo(f"note: {clean(note)}", err=True)
    _conclude(search, found, last, connection, as_json)
    return found


def _print(hit: Hit, as_json: bool) -> None:
    for line in [json.dumps(text.as_json(hit))] if as_json else text.hit_lines(hit):
        click.echo(line)


def _conclude(search: Search, found: int, last: Hit | None, connection: Connection, as_json: bool) -> None:
    if as_json:
        return
    shown = trace_words(connection, last.workflow_id, last.run_id) if last is not None else ()
    for line in text.summary(search, found, shown):
        click.echo(line, err=True)
