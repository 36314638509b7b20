"""`devserver replay`: replay histories of a server or of files against today's code."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ...client.connection import Connection
from ...errors import OptionError
from ..options.client import converter_options, defer_sdk
from ..options.common import json_option, summary_option
from ..options.connection import connection_options, words_of
from ..options.module_type import ModuleType
from ..render import replay as text
from ..render.output import echo_json, echo_lines

if TYPE_CHECKING:
    from ...client import ServiceCalls
    from ...replay import Candidate, HistoryOutcome, ReplayPool, WantedWorkflows

CLOSED_LIMIT = 100
# Options that choose among the workflows of a server, by their parameters.
CHOOSING = {
    "query": "--query",
    "workflow_type": "--type",
    "since": "--since",
    "open_only": "--open",
    "closed": "--closed",
}


@click.command()
@click.argument("spec", metavar="MODULE[:WORKFLOW]", type=ModuleType("workflow"))
@click.argument("places", nargs=-1, metavar="[PATH]...")
@click.option(
    "--file",
    "files",
    multiple=True,
    metavar="PATH",
    help="Replay the histories of this file or folder, not of a server; - is standard input. Same as PATH. Repeatable.",
)
@click.option("--query", metavar="FILTER", help="Only workflows that match a list filter: \"CustomerId = 'ann'\".")
@click.option("--type", "workflow_type", metavar="NAME", help="Only workflows of this type.")
@click.option("--since", metavar="TIME", help="Only workflows started after this time: 2h (ago), or 2026-11-22T15:00.")
@click.option("--open", "open_only", is_flag=True, help="Open workflows only, unless --closed is given too.")
@click.option(
    "--closed",
    type=click.IntRange(min=1),
    metavar="N",
    show_default=f"{CLOSED_LIMIT} in addition to the open ones",
    help="Maximum number of closed workflows to replay. Without --open, replay closed ones only.",
)
@click.option(
    "--max-open",
    type=click.IntRange(min=1),
    default=1000,
    metavar="N",
    help="Maximum number of open workflows to replay.",
)
@click.option("--processes", type=click.IntRange(min=1), metavar="N", show_default="cores", help="Processes to use.")
@click.option("--record", type=click.Path(file_okay=False, path_type=Path), metavar="DIR", help="Save the histories.")
@click.option("--scrub", is_flag=True, help="With --record: replace times, run ids and host names.")
@click.option("--junit", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help="Write JUnit XML.")
@summary_option
@click.option("--html", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help="Write an HTML page.")
@click.option("--debug", metavar="ID", help="Stop in a debugger at the code of the workflow with this id.")
@converter_options
@connection_options
@json_option
@click.pass_context
def replay(
    ctx: click.Context,
    /,
    connection: Connection,
    spec: str,
    places: tuple[str, ...],
    files: tuple[str, ...],
    as_json: bool,
    **values: Any,
) -> None:
    """Replay histories against the workflows of a module before you deploy it, so that what is running can continue.

    Without PATH, takes workflows of the server: open ones, and a sample of closed ones in which rare paths are likely
    to be. Nothing is written to the server, and no activity runs.

    Exits 0 when every history replays, 1 when one does not, 2 for wrong usage, 4 when there is nothing to replay or
    the server cannot be reached.
    """
    import asyncio

    _check(ctx, (*places, *files), values)
    if values["debug"] is not None:
        from .replay_debugging import debug_workflow

        ctx.exit(debug_workflow(spec, values["debug"], (*places, *files), connection, values))
    defer_sdk()
    failed = asyncio.run(_replay(connection, spec, (*places, *files), values, as_json))
    ctx.exit(1 if failed else 0)


def _check(ctx: click.Context, places: Sequence[str], values: dict[str, Any]) -> None:
    if values["scrub"] and values["record"] is None:
        raise OptionError("--scrub has no effect without --record", hint="name a folder with --record")
    if not places:
        return
    for name, option in CHOOSING.items():
        if values[name]:
            raise OptionError(
                f"{option} chooses workflows of a server, PATH reads files",
                hint="use one of them",
            )


async def _replay(
    connection: Connection, spec: str, places: Sequence[str], values: dict[str, Any], as_json: bool
) -> bool:
    from ...replay import ReplayOptions, ReplayPool
    from ...replay.report import ReplayReport
    from ..options.search import moment

    # What is wrong with the words or the server is known before a process imports the module.
    files = _in_files(places)
    values["since"] = moment(values["since"], "--since")
    calls, source = (None, _named(places)) if places else await _connect(connection)
    options = ReplayOptions(
        spec,
        None if places else connection,
        values["data_converter"],
        values["plugins"],
        values["record"],
        values["scrub"],
    )
    progress = text.ReplayProgress()
    outcomes: list[HistoryOutcome] = []
    async with ReplayPool(options, values["processes"]) as pool:
        candidates, notes = (files, ()) if calls is None else await _on_server(calls, _wanted(pool, values))
        progress.begin(len(candidates))
        try:
            async for outcome in pool.replay(candidates):
                outcomes.append(outcome)
                progress.advance(outcome)
        finally:
            progress.end()
    again = ["devserver", "replay", spec, *(places or words_of(connection))]
    report = ReplayReport(spec, outcomes, notes, again, source)
    if values["junit"] is not None:
        text.write_junit(outcomes, values["junit"])
    if values["summary"] is not None:
        from ..render import summary

        summary.write(summary.of_replay(report), values["summary"])
    if values["html"] is not None:
        from ...replay.page import write_page

        write_page(report, values["html"])
    if as_json:
        echo_json(text.as_json(report))
    else:
        echo_lines(text.lines(report))
    return not report.passed


def _named(places: Sequence[str]) -> str:
    """Files and folders for a sentence."""
    return ", ".join("standard input" if place == "-" else place for place in places)


async def _connect(connection: Connection) -> tuple[ServiceCalls, str]:
    """The calls to the server, and its name."""
    from ...client import ServiceCalls, connect, find_target

    target = find_target(connection)
    client = await connect(target, reading=True)
    return ServiceCalls(client), f"the namespace {client.namespace} at {target.label}"


def _wanted(pool: ReplayPool, values: dict[str, Any]) -> WantedWorkflows:
    from ...replay import WantedWorkflows

    named = values["workflow_type"]
    known = [name for name in pool.types if name is not None]
    closed = values["closed"] or (0 if values["open_only"] else CLOSED_LIMIT)
    return WantedWorkflows(
        types=[named] if named else [] if None in pool.types else known,
        query=values["query"],
        since=values["since"],
        open=values["max_open"] if values["open_only"] or values["closed"] is None else 0,
        closed=closed,
    )


async def _on_server(calls: ServiceCalls, wanted: WantedWorkflows) -> tuple[Sequence[Candidate], Sequence[str]]:
    """The workflows to replay, and sentences about how they were chosen."""
    from ...replay import FILTERS, NothingToReplay, sample

    limits = {"open": wanted.open, "closed": wanted.closed}
    samples = {name: await sample(calls, wanted.filter(FILTERS[name]), limit) for name, limit in limits.items()}
    candidates = [candidate for each in samples.values() for candidate in each.candidates]
    if not candidates:
        raise NothingToReplay(
            "the server has no such workflow",
            details=[f"list filter: {wanted.filter(status)}" for status in FILTERS.values()],
            hint="choose the namespace with --namespace, the server with --name or --address, or name files",
        )
    return candidates, [text.sampled(status, each) for status, each in samples.items() if each.total]


def _in_files(places: Sequence[str]) -> list[Candidate]:
    from ...history import history_paths
    from ...replay import Candidate, NothingToReplay

    paths = []
    for place in places:
        path = Path(place)
        if path.is_dir():
            below = history_paths(path)
            if not below:
                raise NothingToReplay(
                    f"{path} has no history", hint="files of histories end in .json, .json.gz, .bin or .pb"
                )
            paths += below
        elif place != "-" and not path.is_file():
            raise OptionError(f"there is no file {path}", hint="name a history, or a folder with histories")
        else:
            paths.append(path)
    return [Candidate("", "", "", str(path)) for path in paths]
