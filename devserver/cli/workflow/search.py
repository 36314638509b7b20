"""`devserver search`: find steps of workflows by what happened in them."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import click

from ...client.connection import Connection
from ...errors import OptionError
from ..options.client import connect_with, converter_for, converter_options, defer_sdk
from ..options.common import json_option, limit_option
from ..options.connection import connection_options, trace_words
from ..options.history_files import file_option, file_words, stored_histories
from ..render import search as text
from ..render.terminal import clean

if TYPE_CHECKING:
    from temporalio.client import Client

    from ...history import HistoryReader
    from ...search import Hit, SearchQuery

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
@file_option
@click.option("--index-size", default="1GB", metavar="SIZE", help="Maximum size of the local index.")
@click.option("--rebuild", is_flag=True, help="Rebuild the local index of this namespace.")
@click.option("--no-index", is_flag=True, help="Read all histories from the server, and keep no index.")
@converter_options
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
    files: tuple[str, ...],
    data_converter: str | None,
    plugins: tuple[str, ...],
    **conditions: Any,
) -> None:
    """Find activities, timers, children, signals, updates and other steps of open and closed workflows, newest first.

    TEXT is searched for in names and failures. One step must match all conditions. Without a condition on steps,
    workflows are listed. A local index stores the histories of closed workflows, so the next search is fast.

    Exits 0 when something was found, 1 when nothing was, 4 when the server cannot be reached.
    """
    import asyncio

    defer_sdk()
    from ...client.target import find_target
    from ..options.search import size, wanted_of

    wanted = wanted_of(conditions)
    if not (wanted.about_steps or wanted.about_runs or rebuild):
        raise OptionError(
            "no condition to search for", hint="for example: devserver search --event ActivityTaskFailed --since 2h"
        )
    if rebuild and no_index:
        raise OptionError("--rebuild rebuilds the index, --no-index uses none", hint="use one of them")
    if rebuild and files:
        raise OptionError("--rebuild rebuilds the index, --file uses none", hint="use one of them")
    only_rebuild = not (wanted.about_steps or wanted.about_runs)
    how = {
        "limit": 0 if only_rebuild else limit,
        "most_bytes": size(index_size, "--index-size"),
        "rebuild": rebuild,
        "folder": None if no_index else _folder(),
    }

    async def run() -> int:
        if files:
            source = stored_histories(files, await converter_for(connection, data_converter, plugins))
            return await _search(source, wanted, how, as_json, lambda hit: file_words(files, hit))
        client = await connect_with(find_target(connection), data_converter, plugins, reading=True)
        return await _search(
            client, wanted, how, as_json, lambda hit: trace_words(connection, hit.workflow_id, hit.run_id)
        )

    found = asyncio.run(run())
    ctx.exit(0 if found or only_rebuild else 1)


def _folder() -> Any:
    from ...system.paths import Paths

    return Paths.default().histories


async def _search(
    source: Client | HistoryReader,
    wanted: SearchQuery,
    how: dict[str, Any],
    as_json: bool,
    whole: Callable[[Hit], Sequence[str]],
) -> int:
    """Print the hits; their number. `whole`: the command that shows the workflow of a hit."""
    from ...search import Search

    bar = text.SearchBar()
    search = Search(source, wanted, watch=bar.show if bar.wanted else None, **how)
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
    if not as_json:
        for line in text.summary(search, found, whole(last) if last is not None else ()):
            click.echo(line, err=True)
    return found


def _print(hit: Hit, as_json: bool) -> None:
    for line in [json.dumps(text.as_json(hit))] if as_json else text.hit_lines(hit):
        click.echo(line)
