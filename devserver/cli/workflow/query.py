"""`devserver workflow query`: query a workflow, with options for its input."""

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
from ..render.output import echo_form, echo_json, value_of

if TYPE_CHECKING:
    from ...introspection.targets import CallTarget


@click.command(cls=InputCommand, resolve=handler("query"), bare=bare_handler)
@click.argument("spec", metavar="MODULE:WORKFLOW.QUERY", type=ModuleType("query"))
@workflow_id_parameters(closed=True)
@input_option
@run_id_option("the last run")
@timeout_option("10s", "How long to wait for the answer.")
@converter_options
@connection_options
@json_option
def query(
    connection: Connection,
    called: CallTarget,
    arguments: list[Any],
    workflow_id: str,
    run_id: str,
    timeout: float,
    as_json: bool,
) -> None:
    """Query an open or closed workflow: orders.py:Order.state order-17. The query's parameters are options.

    Without the workflow's code, name the query alone: state order-17 --input JSON.

    Prints the answer as JSON. The workflow's name may be omitted if only one workflow of the module has the query.

    Exits 0 with an answer, 1 when the query fails or the workflow is of another type, 2 for wrong usage, 4 without an
    answer.
    """
    import asyncio

    answer = asyncio.run(_query(connection, called, arguments, workflow_id, run_id, timeout))
    if as_json:
        echo_form(workflow_id=workflow_id, query=called.name, answer=answer)
    else:
        echo_json(answer)


async def _query(
    connection: Connection, called: CallTarget, arguments: list[Any], workflow_id: str, run_id: str, limit: float
) -> Any:
    from ...introspection import handlers_client

    client, _ = await connect_as(called, connection)
    return value_of(await handlers_client.query(client, called, arguments, workflow_id, run_id, limit), client)
