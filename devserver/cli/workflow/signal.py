"""`devserver workflow signal`: send a signal to a workflow, with options for its input."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from ...client.connection import Connection
from ..options.client import connect_as, converter_options
from ..options.common import json_option
from ..options.connection import connection_options
from ..options.input_command import InputCommand, bare_handler, handler
from ..options.inputs import input_option
from ..options.module_type import ModuleType
from ..options.workflow import run_id_option, workflow_id_parameters
from ..render.output import echo_form
from ..render.terminal import clean

if TYPE_CHECKING:
    from ...introspection.targets import CallTarget


@click.command(cls=InputCommand, resolve=handler("signal"), bare=bare_handler)
@click.argument("spec", metavar="MODULE:WORKFLOW.SIGNAL", type=ModuleType("signal"))
@workflow_id_parameters()
@input_option
@run_id_option("the open run")
@converter_options
@connection_options
@json_option
def signal(
    connection: Connection, called: CallTarget, arguments: list[Any], workflow_id: str, run_id: str, as_json: bool
) -> None:
    """Send a signal to an open workflow: orders.py:Order.approve order-17. The signal's parameters are options.

    Without the workflow's code, name the signal alone: approve order-17 --input JSON.

    The workflow's name may be omitted if only one workflow of the module has the signal.

    Exits 0 when the server has accepted the signal, 1 when the workflow is closed or of another type, 2 for wrong
    usage, 4 when the server or the workflow cannot be reached.
    """
    import asyncio

    asyncio.run(_signal(connection, called, arguments, workflow_id, run_id))
    if as_json:
        echo_form(workflow_id=workflow_id, signal=called.name)
    else:
        click.echo(clean(f"sent {called.name} to {workflow_id}"))


async def _signal(
    connection: Connection, called: CallTarget, arguments: list[Any], workflow_id: str, run_id: str
) -> None:
    from ...introspection import handlers_client

    client, _ = await connect_as(called, connection)
    await handlers_client.signal(client, called, arguments, workflow_id, run_id)
