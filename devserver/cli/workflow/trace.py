"""`devserver trace`: what a workflow did, as a tree."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ...client.target import Connection, Target
from ...errors import OptionError
from ..options.client import connect_with, converter_options
from ..options.common import json_option
from ..options.connection import connection_options
from ..options.workflow import run_id_option, workflow_id_parameters
from ..render import symbols as signs

if TYPE_CHECKING:
    from temporalio.client import Client

    from ...history import HistoryReader, RunChain
    from ...trace import TraceOptions

ALL = 1_000_000
GARBAGE = 100_000
WRITTEN_AT_ONCE = 100


@click.command()
@workflow_id_parameters(closed=True)
@run_id_option("the current execution")
@click.option("--follow", "-f", is_flag=True, help="Show changes until the workflow closes or Ctrl-C.")
@click.option(
    "--depth", type=click.IntRange(min=0), metavar="N", show_default="all", help="Maximum depth of child workflows."
)
@click.option("--failures", is_flag=True, help="Show only failures and their parents.")
@click.option("--no-fold", is_flag=True, help="Show repeated steps and runs one by one.")
@click.option("--html", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Write an HTML page.")
@click.option(
    "--otlp", metavar="URL", help="Send OpenTelemetry spans to a collector, as http://127.0.0.1:4318; - prints them."
)
@click.option("--otlp-open", is_flag=True, help="Send open steps too, as if they ended now.")
@converter_options
@connection_options
@json_option
@click.pass_context
def trace(ctx: click.Context, /, connection: Connection, workflow_id: str, run_id: str, **how: Any) -> None:
    """Show what a workflow did: its activities, timers, signals, updates, Nexus operations and children, across all
    of its runs.

    Exits 0 when it was shown, 4 when the server cannot be reached or has no such workflow. With --follow, 1 when the
    workflow closed in any other way than by completing.
    """
    import asyncio
    import gc

    _check_together(how)
    if not how["follow"]:  # objects live until they are shown: collecting garbage takes a fifth of the time
        gc.set_threshold(GARBAGE)
    from ...trace import TraceOptions

    wanted = TraceOptions(depth=how["depth"], failures=how["failures"], folds=not how["no_fold"])
    if how["no_fold"] or how["as_json"]:
        wanted = replace(wanted, folds=False, most_runs=ALL, most_of_chain=ALL)
    completed = asyncio.run(_trace(connection, workflow_id, run_id, wanted, how))
    ctx.exit(0 if completed else 1)


def _check_together(how: dict[str, Any]) -> None:
    forms = [f"--{name}" for name in ("follow", "html", "otlp") if how[name]]
    if len(forms) > 1:
        raise OptionError(f"{' and '.join(forms)} exclude each other", hint="use one of them")
    if how["otlp_open"] and not how["otlp"]:
        raise OptionError("--otlp-open needs --otlp", hint="add the collector, as --otlp http://127.0.0.1:4318")
    if how["failures"] and (how["follow"] or how["otlp"]):
        raise OptionError(f"{forms[0]} shows all steps, not only failures", hint="leave out --failures")
    if how["html"] and how["html"].exists() and not how["html"].is_file():
        raise OptionError(f"{how['html']} exists and is not a file", hint="name another file with --html")
    if how["html"] and how["as_json"]:
        raise OptionError("--html and --json exclude each other", hint="use one of them")


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


async def _trace(
    connection: Connection, workflow_id: str, run_id: str, wanted: TraceOptions, how: dict[str, Any]
) -> bool:
    """Show it; False when the workflow was followed and did not complete."""
    from ...client.target import find_target
    from ...history import HistoryReader

    def connect(target: Target) -> Awaitable[Client]:
        return connect_with(target, how["data_converter"], how["plugins"])

    target = find_target(connection)
    reader = HistoryReader(await connect(target))
    if how["html"]:
        await _write_page(reader, await reader.chain(workflow_id, run_id), wanted, target, how)
        return True
    if how["otlp"]:
        from ..render.spans import send_spans

        await send_spans(reader.calls.client, workflow_id, run_id, how)
        return True
    chain = await reader.chain(workflow_id, run_id)
    if how["follow"]:
        return await _follow(reader, chain, wanted, lambda: connect(find_target(connection)), how["as_json"])
    if how["as_json"]:
        await _print_json(reader, chain, wanted, target)
    else:
        await _print_tree(reader, chain, wanted, target)
    return True


async def _write_page(
    reader: HistoryReader, chain: RunChain, wanted: TraceOptions, target: Target, how: dict[str, Any]
) -> None:
    from ...trace.page import write_page

    rows = await write_page(reader, chain, wanted, how["html"], where=target.label)
    click.echo(f"{how['html']}: {rows:,} row{'' if rows == 1 else 's'}")


async def _print_tree(reader: HistoryReader, chain: RunChain, wanted: TraceOptions, target: Target) -> None:
    from ...trace import walk
    from ..render.trace_tree import Tree, heading, tree_width

    tree = Tree(reader, width=tree_width(), signs=signs.shows_signs(), depth=wanted.depth)
    with _Output() as output:
        async for item in walk(reader, chain, wanted):
            for line in await tree.lines(item):
                output.write(line + "\n")
        for line in heading(chain, target.label):
            output.write(line + "\n")


async def _print_json(reader: HistoryReader, chain: RunChain, wanted: TraceOptions, target: Target) -> None:
    from ...trace import walk
    from ..render.trace_json import Document

    document = Document(reader, chain, target.address)
    with _Output() as output:
        output.write(document.begin())
        async for item in walk(reader, chain, wanted):
            output.write(await document.piece(item))
        output.write(document.end())


async def _follow(
    reader: HistoryReader,
    chain: RunChain,
    wanted: TraceOptions,
    connect: Callable[[], Awaitable[Client]],
    as_json: bool,
) -> bool:
    """Show changes until the workflow closes; whether it completed."""
    from ...trace.follow import TraceFollower
    from ..render import terminal, trace_follow

    follower = TraceFollower(reader, depth=wanted.depth, connect=connect)
    if as_json or not terminal.redraws():
        view = trace_follow.FollowJsonLines(reader) if as_json else trace_follow.FollowLines(reader)
        run = await trace_follow.follow(chain, view, follower)
    else:
        async with trace_follow.FollowScreen(reader, chain, wanted, follower) as screen:
            run = await trace_follow.follow(chain, screen, follower)
    return run.status == "completed"
