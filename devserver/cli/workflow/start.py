"""`devserver workflow start`: start a workflow of a module, with options for the input of its run method."""

from __future__ import annotations

import shlex
import uuid
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import click

from ...client.connection import Connection
from ...client.target import Target
from ...config.option_values import parse_pair
from ..options.client import connect_as, converter_options
from ..options.common import json_option
from ..options.connection import connection_options, trace_words, words_of
from ..options.environment import DefaultOption
from ..options.input_command import InputCommand, bare_workflow, workflow
from ..options.inputs import input_option
from ..options.module_type import ModuleType
from ..options.types import Duration
from ..render.output import echo_failure, echo_form, echo_json, echo_note, value_of
from ..render.terminal import clean

if TYPE_CHECKING:
    from temporalio.client import Client

    from ...introspection.results import WorkflowOutcome
    from ...introspection.start_workflow import StartedWorkflow, WorkflowStartOptions
    from ...introspection.targets import CallTarget

CONFLICT_POLICIES = ("Fail", "UseExisting", "TerminateExisting")
REUSE_POLICIES = ("AllowDuplicate", "AllowDuplicateFailedOnly", "RejectDuplicate")


@click.command(cls=InputCommand, resolve=workflow, bare=bare_workflow)
@click.argument("spec", metavar="MODULE:WORKFLOW", type=ModuleType("workflow"))
@input_option
@click.option(
    "--workflow-id", "-w", metavar="ID", show_default="the type and random letters", help="Id of the new workflow."
)
@click.option("--type", "workflow_type", metavar="NAME", help="Workflow type, if MODULE does not name a workflow.")
@click.option(
    "--task-queue",
    "-t",
    metavar="NAME",
    show_default="TASK_QUEUE of the module, else its name",
    help="Task queue of the workflow.",
)
@click.option("--wait", is_flag=True, help="Wait for the result and print it. Exits 1 if the workflow fails.")
@click.option(
    "--id-conflict-policy",
    type=click.Choice(CONFLICT_POLICIES, case_sensitive=False),
    metavar=f"[{'|'.join(CONFLICT_POLICIES)}]",
    default="Fail",
    help="What to do if the workflow id is already running.",
)
@click.option(
    "--id-reuse-policy",
    type=click.Choice(REUSE_POLICIES, case_sensitive=False),
    metavar=f"[{'|'.join(REUSE_POLICIES)}]",
    default="AllowDuplicate",
    help="What to do if the workflow id was used before.",
)
@click.option(
    "--execution-timeout", type=Duration(positive=True), help="Maximum duration of the workflow with all its runs."
)
@click.option("--run-timeout", type=Duration(positive=True), help="Maximum duration of one run.")
@click.option(
    "--task-timeout",
    type=Duration(positive=True),
    cls=DefaultOption,
    literal="10s",
    help="Maximum duration of a workflow task.",
)
@click.option("--start-delay", type=Duration(positive=True), help="Delay before the workflow starts.")
@click.option("--cron", metavar="CRON", help="Cron schedule of the workflow. Prefer `devserver schedule`.")
@click.option(
    "--search-attribute", "attributes", multiple=True, metavar="NAME=JSON", help="Search attribute. Repeatable."
)
@click.option("--memo", multiple=True, metavar="NAME=JSON", help="Memo field. Repeatable.")
@converter_options
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

    Without its code, name the type alone: Order --task-queue orders --input JSON.

    The parameters of its run method are options: `devserver workflow start MODULE:WORKFLOW --help` lists them. Input is
    validated before the workflow is started.

    Exits 0 when it was started (with --wait: when it completed), 1 when not, 2 for wrong usage, 4 when the server
    cannot be reached.
    """
    import asyncio

    ctx.exit(asyncio.run(_start(connection, called, arguments, _options(called, values), wait, as_json)))


def _options(called: CallTarget, values: dict[str, Any]) -> WorkflowStartOptions:
    from ...introspection.start_workflow import WorkflowStartOptions

    def duration(name: str) -> timedelta | None:
        return None if values[name] is None else timedelta(seconds=values[name])

    return WorkflowStartOptions(
        workflow_id=values["workflow_id"] or f"{str(called.type).lower()}-{uuid.uuid4().hex[:8]}",
        task_queue=values["task_queue"] or called.module.task_queue,
        id_conflict_policy=values["id_conflict_policy"],
        id_reuse_policy=values["id_reuse_policy"],
        execution_timeout=duration("execution_timeout"),
        run_timeout=duration("run_timeout"),
        task_timeout=duration("task_timeout"),
        start_delay=duration("start_delay"),
        cron=values["cron"],
        memo=_pairs(values["memo"], "--memo", "note=urgent"),
        search_attributes=_pairs(values["attributes"], "--search-attribute", "Customer=ann"),
    )


def _pairs(texts: tuple[str, ...], option: str, example: str) -> dict[str, Any]:
    """Values by name: JSON, and what is not JSON is text."""
    from ...introspection.value_parsing import read

    pairs = (parse_pair(text, option, "NAME=JSON", example) for text in texts)
    return {name: read(value, Any) for name, value in pairs}


async def _start(
    connection: Connection,
    called: CallTarget,
    arguments: list[Any],
    options: WorkflowStartOptions,
    wait: bool,
    as_json: bool,
) -> int:
    import asyncio

    from ...introspection.results import wait_for_outcome
    from ...introspection.start_workflow import start as start_workflow

    client, target = await connect_as(called, connection)
    started = await start_workflow(client, called, arguments, options)
    if not as_json:
        _echo_started(started, target, connection, err=wait)
    if not started.polled and called.bare:
        echo_note(f"no worker polls the task queue {started.task_queue}")
    elif not started.polled:
        words = [*called.worker_on(started.task_queue), *words_of(connection)]
        echo_note(f"no worker polls the task queue {started.task_queue}; start a worker: {shlex.join(words)}")
    try:
        outcome = await wait_for_outcome(started.handle, client) if wait else None
    except asyncio.CancelledError:
        echo_note(f"{started.workflow_id} keeps running")
        raise
    if as_json:
        echo_form(**_json(started, target, outcome, client))
    elif outcome is not None and outcome.failure is not None:
        echo_failure(f"{started.workflow_id} did not complete", outcome.failure)
    elif outcome is not None:
        echo_json(value_of(outcome.result, client))
    return 1 if outcome is not None and outcome.failure is not None else 0


def _echo_started(started: StartedWorkflow, target: Target, connection: Connection, *, err: bool) -> None:
    """Print what was started, and what to do with it next; to stderr if stdout is for the result."""
    words = trace_words(connection, started.workflow_id)
    word = "found a running" if started.existing else "started"
    click.echo(f"{word} {clean(started.workflow_type)}", err=err)
    for name, value in (
        ("workflow id", started.workflow_id),
        ("run id", started.run_id),
        ("task queue", started.task_queue),
        ("namespace", f"{target.namespace} at {target.label}"),
        ("see it", shlex.join(words)),
    ):
        click.echo(f"  {name:<12} {clean(value)}", err=err)


def _json(started: StartedWorkflow, target: Target, outcome: WorkflowOutcome | None, client: Client) -> dict[str, Any]:
    values: dict[str, Any] = {
        "workflow_id": started.workflow_id,
        "run_id": started.run_id,
        "workflow_type": started.workflow_type,
        "task_queue": started.task_queue,
        "polled": started.polled,
        "existing": started.existing,
        "address": target.address,
        "namespace": target.namespace,
    }
    if outcome is not None:
        values["result"] = value_of(outcome.result, client)
        values["failure"] = list(outcome.failure.lines) if outcome.failure else None
    return values
