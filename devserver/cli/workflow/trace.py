"""`devserver trace`: what a workflow did, as a tree."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ...client.connection import Connection
from ...client.target import Target
from ...errors import OptionError
from ..options.client import connect_with, converter_for, converter_options, defer_sdk
from ..options.common import json_option
from ..options.connection import connection_options
from ..options.history_files import file_option, names_files, stored_histories
from ..options.waits import check_waits, replay_pool, waits_options
from ..options.workflow import run_id_option, workflow_id_parameters

if TYPE_CHECKING:
    from temporalio.client import Client

    from ...history import HistoryReader, RunChain
    from ...trace import TraceOptions
    from ...trace.waits import WaitingPlaces

OPEN = ("running", "paused")
ALL = 1_000_000
GARBAGE = 1_000_000
MAX_NAMED = 20


@click.command()
@workflow_id_parameters(required=False, closed=True, metavar="[WORKFLOW_ID|FILE]")
@file_option
@run_id_option("the current execution")
@click.option("--follow", "-f", is_flag=True, help="Show changes until the workflow closes or Ctrl-C.")
@click.option(
    "--depth", type=click.IntRange(min=0), metavar="N", show_default="all", help="Maximum depth of child workflows."
)
@click.option("--failures", is_flag=True, help="Show only failures and their parents.")
@waits_options
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
def trace(ctx: click.Context, /, connection: Connection, workflow_id: str | None, run_id: str, **how: Any) -> None:
    """Show what a workflow did: its activities, timers, signals, updates, Nexus operations and children, across all
    of its runs.

    FILE is a saved history or a folder of them: of the Web UI, of `temporal workflow show --output json`, or an SDK's
    test resource, also compressed with gzip. - reads standard input.

    Exits 0 when it was shown, 4 when the server cannot be reached or has no such workflow. With --follow, 1 when the
    workflow closed in any other way than by completing.
    """
    import asyncio
    import gc

    if workflow_id is not None and not how["files"] and not _named(ctx) and names_files(workflow_id):
        workflow_id, how["files"] = None, (workflow_id,)
    if workflow_id is None and not how["files"]:
        raise click.UsageError("Missing argument 'WORKFLOW_ID' (or --workflow-id).", ctx)
    _check_together(how)
    if not how["follow"]:  # objects live until they are shown: collecting garbage takes a fifth of the time
        gc.set_threshold(GARBAGE)
    defer_sdk()
    from ...trace import TraceOptions

    wanted = TraceOptions(depth=how["depth"], failures=how["failures"], folds=not how["no_fold"])
    if how["no_fold"] or how["as_json"]:
        wanted = replace(wanted, folds=False, most_runs=ALL, most_of_chain=ALL)
    if how["files"]:
        asyncio.run(_trace_files(connection, workflow_id or "", run_id, wanted, how))
        return
    completed = asyncio.run(_trace(connection, workflow_id or "", run_id, wanted, how))
    ctx.exit(0 if completed else 1)


def _named(ctx: click.Context) -> bool:
    """Whether the workflow id was given as --workflow-id, so that it is no file."""
    return bool(ctx.params.get("named_id"))


def _check_together(how: dict[str, Any]) -> None:
    forms = [f"--{name}" for name in ("follow", "html", "otlp") if how[name]]
    if len(forms) > 1:
        raise OptionError(f"{' and '.join(forms)} exclude each other", hint="use one of them")
    if how["otlp_open"] and not how["otlp"]:
        raise OptionError("--otlp-open needs --otlp", hint="add the collector, as --otlp http://127.0.0.1:4318")
    if how["files"] and how["follow"]:
        raise OptionError("--follow needs a server: a file does not change", hint="leave out --follow")
    check_waits(how)
    if how["waits"] and (forms or how["files"]):
        other = forms[0] if forms else "--file"
        raise OptionError(f"--waits and {other} exclude each other", hint="use one of them")
    if how["failures"] and (how["follow"] or how["otlp"]):
        raise OptionError(f"{forms[0]} shows all steps, not only failures", hint="leave out --failures")
    if how["html"] and how["html"].exists() and not how["html"].is_file():
        raise OptionError(f"{how['html']} exists and is not a file", hint="name another file with --html")
    if how["html"] and how["as_json"]:
        raise OptionError("--html and --json exclude each other", hint="use one of them")


async def _trace(
    connection: Connection, workflow_id: str, run_id: str, wanted: TraceOptions, how: dict[str, Any]
) -> bool:
    """Show it; False when the workflow was followed and did not complete."""
    from ...client.target import find_target
    from ...history import HistoryReader

    def connect(target: Target) -> Awaitable[Client]:
        return connect_with(target, how["data_converter"], how["plugins"], reading=not how["waits"])

    target = find_target(connection)
    reader = HistoryReader(await connect(target))
    if how["otlp"]:
        from ..render.spans import send_spans

        await send_spans(reader, workflow_id, run_id, how)
        return True
    chain = await reader.chain(workflow_id, run_id)
    if how["follow"]:
        return await _follow(reader, chain, wanted, lambda: connect(find_target(connection)), how["as_json"])
    from ..render import trace_output

    if how["html"]:
        await trace_output.write_html(reader, chain, wanted, how["html"], target.label, ui=_web_ui(target))
    else:
        waits = await _waiting(reader, chain, connection, how) if how["waits"] else None
        if how["as_json"]:
            await trace_output.print_json(reader, chain, wanted, target.address, waits)
        else:
            await trace_output.print_tree(reader, chain, wanted, target.label, waits=waits)
    return True


def _web_ui(target: Target) -> str | None:
    """The address of the Web UI, which is known of a managed instance."""
    from ...instances.dev_server import DevServer

    return None if target.name is None else DevServer.attach(target.name).ui_url


async def _waiting(
    reader: HistoryReader, chain: RunChain, connection: Connection, how: dict[str, Any]
) -> WaitingPlaces:
    from ...replay import Candidate
    from ...trace.waits import find_waiting_places

    run = chain.newest
    if run.status not in OPEN:
        raise OptionError(f"{chain.workflow_id} is closed: it waits for nothing", hint="leave out --waits")
    candidates = [Candidate(chain.workflow_id, run.run_id, run.type)]
    async with replay_pool(connection, how) as pool:
        [places] = await find_waiting_places(reader.calls, candidates, pool)
    return places


async def _trace_files(
    connection: Connection, workflow_id: str, run_id: str, wanted: TraceOptions, how: dict[str, Any]
) -> None:
    """Show the workflows of saved histories: the named one, else all whose parents are not among them."""
    from ..render import spans, trace_output

    reader = stored_histories(how["files"], await converter_for(connection, how["data_converter"], how["plugins"]))
    roots = [(workflow_id, run_id)] if workflow_id else reader.stored.roots()
    if len(roots) > 1 and (how["html"] or how["as_json"] or how["otlp"]):
        raise OptionError(
            f"there are {len(roots)} workflows in {', '.join(how['files'])}",
            details=[root for root, _ in roots[:MAX_NAMED]],
            hint=f"choose one: devserver trace --file {how['files'][0]} {roots[0][0]}",
        )
    label = ", ".join(how["files"])
    for number, (name, run) in enumerate(roots):
        if how["otlp"]:
            await spans.send_spans(reader, name, run, how)
            continue
        chain, now = await reader.chain(name, run), reader.stored.last_event(name)
        if how["html"]:
            await trace_output.write_html(reader, chain, wanted, how["html"], label, now=now)
        elif how["as_json"]:
            await trace_output.print_json(reader, chain, wanted, None)
        else:
            if number:
                click.echo()
            await trace_output.print_tree(reader, chain, wanted, label, now=now)


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
