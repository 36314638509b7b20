"""`devserver search`: find steps of workflows by what happened in them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from ...client.target import Connection
from ...errors import OptionError
from ..options.common import json_option, limit_option
from ..options.connection import connection_options, trace_words
from ..render import search as text
from ..render.terminal import clean

if TYPE_CHECKING:
    from ...search import Hit, Search, SearchQuery

_CONDITIONS = (
    click.option("--activity", metavar="TYPE", help="Activities of this type; * matches anything."),
    click.option("--event", "events", multiple=True, metavar="TYPE", help="Steps with this event. Repeatable."),
    click.option("--failure", metavar="TEXT", help="Text in a failure's message, type, stack trace or causes."),
    click.option("--attempts", metavar="NUMBER", help="Number of attempts: 3, '>=3', '<2'."),
    click.option("--longer", metavar="TIME", help="Steps that took at least this long; open steps count until now."),
    click.option("--shorter", metavar="TIME", help="Steps that took at most this long."),
    click.option("--identity", metavar="NAME", help="Identity of the worker or client; * matches anything."),
    click.option("--build-id", metavar="ID", help="Build id of the worker; * matches anything."),
    click.option("--since", metavar="TIME", help="Only steps active after this time: 2h (ago), or 2026-11-22T15:00."),
    click.option("--until", metavar="TIME", help="Only steps started before this time."),
    click.option("--type", "workflow_type", metavar="NAME", help="Only workflows of this type."),
    click.option("--status", metavar="STATUS", help="Only runs with this status: failed, timed-out."),
    click.option("--query", metavar="FILTER", help="Only runs that match a list filter: \"CustomerId = 'ann'\"."),
    click.option("--open/--closed", "open_only", default=None, help="Only open, or only closed runs."),
)


def _conditions(function: Any) -> Any:
    for option in reversed(_CONDITIONS):
        function = option(function)
    return function


@click.command()
@click.argument("text", required=False, metavar="[TEXT]")
@_conditions
@limit_option(100)
@click.option("--index-size", default="1GB", metavar="SIZE", help="Maximum size of the local index.")
@click.option("--rebuild", is_flag=True, help="Rebuild the local index of this namespace.")
@click.option("--no-index", is_flag=True, help="Read all histories from the server, and keep no index.")
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
    """Find activities, timers, children, signals, updates and other steps of open and closed workflows, newest first.

    TEXT is searched for in names and failures. One step must match all conditions. Without a condition on steps,
    workflows are listed. A local index stores the histories of closed workflows, so the next search is fast.

    Exits 0 when something was found, 1 when nothing was, 4 when the server cannot be reached.
    """
    import asyncio

    from ..options.search import size, wanted_of

    wanted = wanted_of(conditions)
    if not (wanted.about_steps or wanted.about_runs or rebuild):
        raise OptionError(
            "no condition to search for", hint="for example: devserver search --event ActivityTaskFailed --since 2h"
        )
    if rebuild and no_index:
        raise OptionError("--rebuild rebuilds the index, --no-index uses none", hint="use one of them")
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
    bar = text.SearchBar()
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
