"""`devserver update`: update a workflow, with options for what the update takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from ...client.target import Connection
from ...config.server_options import parse_duration
from ..options.connection import connection_options
from ..options.converter import given_options
from ..options.input_command import InputCommand, handler
from ..options.inputs import input_option
from ..options.module_type import ModuleType, handler_names
from ..options.run_id import run_id_option
from ..options.server import json_option
from ..options.workflow_id import WorkflowId
from ..render.results import DEFAULT_LIMIT, FORM, connected, echo_failure, echo_json, value_of
from ..render.terminal import clean

if TYPE_CHECKING:
    from ...introspection.targets import CallTarget


@click.command(cls=InputCommand, resolve=handler("update"))
@click.argument("spec", metavar="MODULE:WORKFLOW.UPDATE", type=ModuleType(handler_names("updates")))
@click.argument("workflow_id", metavar="WORKFLOW_ID", type=WorkflowId())
@input_option
@run_id_option(about="Of this run. [the one that runs]")
@click.option(
    "--wait-for-stage",
    "stage",
    type=click.Choice(["accepted", "completed"]),
    default="completed",
    help="Return when it is accepted, or with its result. [completed]",
)
@click.option("--update-id", metavar="ID", help="The same id is the same update. [any]")
@click.option(
    "--timeout",
    default=DEFAULT_LIMIT,
    metavar="TIME",
    help=f"Wait so long for a worker to accept it. [{DEFAULT_LIMIT}]",
)
@given_options
@connection_options
@json_option
@click.pass_context
def update(
    ctx: click.Context,
    /,
    connection: Connection,
    called: CallTarget,
    arguments: list[Any],
    workflow_id: str,
    run_id: str,
    stage: str,
    update_id: str | None,
    timeout: str,
    as_json: bool,
) -> None:
    """Update an open workflow: orders.py:Order.change_city order-17. What the update takes are options.

    Prints its result as JSON. The workflow's name may be left out where only one has the update.

    Exits 0 when it was done (or accepted), 1 when it was refused or failed, 2 for wrong usage, 4 without an answer.
    """
    import asyncio

    how = {"accepted": stage == "accepted", "limit": parse_duration(timeout, "--timeout"), "update_id": update_id}
    told = asyncio.run(_update(connection, called, arguments, workflow_id, run_id, how, as_json))
    ctx.exit(told)


async def _update(
    connection: Connection,
    called: CallTarget,
    arguments: list[Any],
    workflow_id: str,
    run_id: str,
    how: dict[str, Any],
    as_json: bool,
) -> int:
    from ...introspection import handlers_client

    client, _ = await connected(connection, called)
    update_id, ended = await handlers_client.update(client, called, arguments, workflow_id, run_id, **how)
    if as_json:
        told = {"form": FORM, "workflow_id": workflow_id, "update": called.name, "update_id": update_id or None}
        told["result"] = value_of(ended.result, client)
        told["failure"] = list(ended.failure.lines) if ended.failure else None
        echo_json(told)
    elif ended.failure is not None:
        echo_failure(f"{called.name} of {workflow_id} was refused or failed", ended.failure)
    elif how["accepted"]:
        click.echo(clean(f"{workflow_id} has accepted {called.name} ({update_id})"))
    else:
        echo_json(value_of(ended.result, client))
    return 1 if ended.failure is not None else 0
