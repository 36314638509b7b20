"""`devserver workflow update`: update a workflow, with options for its input."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from ...client.connection import Connection
from ..options.client import connect_as, converter_options
from ..options.common import json_option, timeout_option
from ..options.connection import connection_options
from ..options.input_command import InputCommand, bare_handler, handler
from ..options.inputs import input_option
from ..options.module_type import ModuleType
from ..options.workflow import run_id_option, workflow_id_parameters
from ..render.output import echo_failure, echo_form, echo_json, value_of
from ..render.terminal import clean

if TYPE_CHECKING:
    from ...introspection.targets import CallTarget


@click.command(cls=InputCommand, resolve=handler("update"), bare=bare_handler)
@click.argument("spec", metavar="MODULE:WORKFLOW.UPDATE", type=ModuleType("update"))
@workflow_id_parameters()
@input_option
@run_id_option("the open run")
@click.option(
    "--wait-for-stage",
    "stage",
    type=click.Choice(["accepted", "completed"]),
    default="completed",
    help="Stage of the update to wait for.",
)
@click.option(
    "--update-id",
    metavar="ID",
    show_default="a new one",
    help="Update id; sending an id again does not repeat the update.",
)
@timeout_option("10s", "How long to wait for a worker to accept the update.")
@converter_options
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
    timeout: float,
    as_json: bool,
) -> None:
    """Update an open workflow: orders.py:Order.change_city order-17. The update's parameters are options.

    Without the workflow's code, name the update alone: change_city order-17 --input JSON.

    Prints its result as JSON. The workflow's name may be omitted if only one workflow of the module has the update.

    Exits 0 when the update completed (or was accepted), 1 when it was rejected or failed, 2 for wrong usage, 4 without
    an answer.
    """
    import asyncio

    how = {"accepted": stage == "accepted", "limit": timeout, "update_id": update_id}
    ctx.exit(asyncio.run(_update(connection, called, arguments, workflow_id, run_id, how, as_json)))


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

    client, _ = await connect_as(called, connection)
    update_id, outcome = await handlers_client.update(client, called, arguments, workflow_id, run_id, **how)
    if as_json:
        echo_form(
            workflow_id=workflow_id,
            update=called.name,
            update_id=update_id or None,
            result=value_of(outcome.result, client),
            failure=list(outcome.failure.lines) if outcome.failure else None,
        )
    elif outcome.failure is not None:
        echo_failure(f"{called.name} of {workflow_id} was rejected or failed", outcome.failure)
    elif how["accepted"]:
        click.echo(clean(f"{workflow_id} has accepted {called.name} ({update_id})"))
    else:
        echo_json(value_of(outcome.result, client))
    return 1 if outcome.failure is not None else 0
