"""`devserver signal`: send a signal to a workflow, with options for what it takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from ...client.target import Connection
from ..options.connection import connection_options
from ..options.converter import given_options
from ..options.input_command import InputCommand, handler
from ..options.inputs import input_option
from ..options.module_type import ModuleType, handler_names
from ..options.run_id import run_id_option
from ..options.server import json_option
from ..options.workflow_id import WorkflowId
from ..render.results import FORM, connected, echo_json
from ..render.terminal import clean

if TYPE_CHECKING:
    from ...introspection.targets import CallTarget


@click.command(cls=InputCommand, resolve=handler("signal"))
@click.argument("spec", metavar="MODULE:WORKFLOW.SIGNAL", type=ModuleType(handler_names("signals")))
@click.argument("workflow_id", metavar="WORKFLOW_ID", type=WorkflowId())
@input_option
@run_id_option(about="Of this run. [the one that runs]")
@given_options
@connection_options
@json_option
def signal(
    connection: Connection, called: CallTarget, arguments: list[Any], workflow_id: str, run_id: str, as_json: bool
) -> None:
    """Send a signal to an open workflow: orders.py:Order.approve order-17. What it takes are options.

    The workflow's name may be left out where only one has the signal.

    Exits 0 when the server has the signal, 1 when the workflow has ended or is another, 2 for wrong usage, 4 when the
    server or the workflow is not there.
    """
    import asyncio

    asyncio.run(_signal(connection, called, arguments, workflow_id, run_id))
    if as_json:
        echo_json({"form": FORM, "workflow_id": workflow_id, "signal": called.name})
    else:
        click.echo(clean(f"sent {called.name} to {workflow_id}"))


async def _signal(
    connection: Connection, called: CallTarget, arguments: list[Any], workflow_id: str, run_id: str
) -> None:
    from ...introspection import handlers_client

    client, _ = await connected(connection, called)
    await handlers_client.signal(client, called, arguments, workflow_id, run_id)
