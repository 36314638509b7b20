"""`devserver start`: start a workflow of a module, with options for what its run method takes."""

from __future__ import annotations

import shlex
import uuid
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import click

from ...client.target import Connection, Target
from ...config.server_options import parse_duration, parse_pair
from ...errors import OptionError
from ..options.connection import connection_options, trace_words, words_of
from ..options.converter import given_options
from ..options.input_command import InputCommand, workflow
from ..options.inputs import input_option
from ..options.module_type import ModuleType, workflow_names
from ..options.server import json_option
from ..render.results import FORM, connected, echo_failure, echo_json, note, value_of
from ..render.terminal import clean

if TYPE_CHECKING:
    from temporalio.client import Client

    from ...introspection.results import WorkflowOutcome
    from ...introspection.start_workflow import StartedWorkflow, WorkflowStartOptions
    from ...introspection.targets import CallTarget


@click.command(cls=InputCommand, resolve=workflow)
@click.argument("spec", metavar="MODULE:WORKFLOW", type=ModuleType(workflow_names))
@input_option
@click.option("--id", "workflow_id", metavar="ID", help="The workflow's id. [its type and a few letters]")
@click.option("--task-queue", "-t", metavar="NAME", help="Its task queue. [TASK_QUEUE of the module, else its name]")
@click.option("--wait", "-w", is_flag=True, help="Wait for its end; print its result. Exits 1 if it fails.")
@click.option(
    "--id-conflict",
    type=click.Choice(["fail", "use-existing", "terminate-existing"]),
    default="fail",
    help="If one with that id runs. [fail]",
)
@click.option(
    "--id-reuse",
    type=click.Choice(["allow", "failed-only", "reject"]),
    default="allow",
    help="If one with that id has ended. [allow]",
)
@click.option("--timeout", metavar="TIME", help="End it after so long, as 90s, 12h or 30d. [never]")
@click.option("--delay", metavar="TIME", help="Begin after so long.")
@click.option("--search-attribute", "attributes", multiple=True, metavar="NAME=JSON", help="Repeatable.")
@click.option("--memo", multiple=True, metavar="NAME=JSON", help="Repeatable.")
@given_options
@connection_options
@json_option
@click.pass_context
def start(
    ctx: click.Context,
    /,
    connection: Connection,
    called: CallTarget,
    arguments: list[Any],
    as_json: bool,
    wait: bool,
    **values: Any,
) -> None:
    """Start a workflow of a module: package.module:WORKFLOW or path/to/file.py:WORKFLOW.

    What its run method takes are options: `devserver start MODULE:WORKFLOW --help` lists them. All is checked before
    anything is sent.

    Exits 0 when it was started (with --wait: when it completed), 1 when not, 2 for wrong usage, 4 when the server
    cannot be asked.
    """
    import asyncio

    ctx.exit(asyncio.run(_start(connection, called, arguments, _options(called, values), wait, as_json)))


def _options(called: CallTarget, values: dict[str, Any]) -> WorkflowStartOptions:
    from ...introspection.start_workflow import WorkflowStartOptions

    return WorkflowStartOptions(
        workflow_id=values["workflow_id"] or f"{str(called.type).lower()}-{uuid.uuid4().hex[:8]}",
        task_queue=values["task_queue"] or called.module.task_queue,
        conflict=values["id_conflict"],
        reuse=values["id_reuse"],
        timeout=_time(values["timeout"], "--timeout"),
        delay=_time(values["delay"], "--delay"),
        memo=_pairs(values["memo"], "--memo"),
        search_attributes=_pairs(values["attributes"], "--search-attribute"),
    )


def _time(text: str | None, option: str) -> timedelta | None:
    if text is None:
        return None
    seconds = parse_duration(text, option)
    if not seconds:
        raise OptionError(f"{option} {text} is no time at all", hint=f"leave {option} out")
    return timedelta(seconds=seconds)


def _pairs(texts: tuple[str, ...], option: str) -> dict[str, Any]:
    """Names with values: JSON, and what is none is text."""
    from ...introspection.value_parsing import read

    return {name: read(value, Any) for name, value in (parse_pair(text, option, "Name=value") for text in texts)}


async def _start(
    connection: Connection,
    called: CallTarget,
    arguments: list[Any],
    options: WorkflowStartOptions,
    wait: bool,
    as_json: bool,
) -> int:
    import asyncio

    from ...introspection.results import outcome
    from ...introspection.start_workflow import start as begin

    client, target = await connected(connection, called)
    started = await begin(client, called, arguments, options)
    if not as_json:
        _tell(started, target, connection, aside=wait)
    if not started.polled:
        words = [*called.worker_on(started.task_queue), *words_of(connection)]
        note(f"no worker polls the task queue {started.task_queue}; start one: {shlex.join(words)}")
    try:
        ended = await outcome(started.handle, client) if wait else None
    except asyncio.CancelledError:
        note(f"{started.workflow_id} goes on without us")
        raise
    if as_json:
        echo_json(_json(started, target, ended, client))
    elif ended is not None and ended.failure is not None:
        echo_failure(f"{started.workflow_id} did not complete", ended.failure)
    elif ended is not None:
        echo_json(value_of(ended.result, client))
    return 1 if ended is not None and ended.failure is not None else 0


def _tell(started: StartedWorkflow, target: Target, connection: Connection, *, aside: bool) -> None:
    """What was started, and what to do with it next; to stderr if stdout is the result's."""
    words = trace_words(connection, started.workflow_id)
    word = "found a running" if started.existing else "started"
    click.echo(f"{word} {clean(started.workflow_type)}", err=aside)
    for name, value in (
        ("workflow id", started.workflow_id),
        ("run id", started.run_id),
        ("task queue", started.task_queue),
        ("namespace", f"{target.namespace} at {target.label}"),
        ("see it", shlex.join(words)),
    ):
        click.echo(f"  {name:<12} {clean(value)}", err=aside)


def _json(started: StartedWorkflow, target: Target, ended: WorkflowOutcome | None, client: Client) -> dict[str, Any]:
    told: dict[str, Any] = {
        "form": FORM,
        "workflow_id": started.workflow_id,
        "run_id": started.run_id,
        "workflow_type": started.workflow_type,
        "task_queue": started.task_queue,
        "polled": started.polled,
        "existing": started.existing,
        "address": target.address,
        "namespace": target.namespace,
    }
    if ended is not None:
        told["result"] = value_of(ended.result, client)
        told["failure"] = list(ended.failure.lines) if ended.failure else None
    return told
