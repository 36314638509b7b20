"""`devserver query`: ask a workflow, with options for what the query takes."""

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
from ..render.results import DEFAULT_LIMIT, FORM, connected, echo_json, value_of

if TYPE_CHECKING:
    from ...introspection.targets import CallTarget


@click.command(cls=InputCommand, resolve=handler("query"))
@click.argument("spec", metavar="MODULE:WORKFLOW.QUERY", type=ModuleType(handler_names("queries")))
@click.argument("workflow_id", metavar="WORKFLOW_ID", type=WorkflowId(closed=True))
@input_option
@run_id_option(about="Of this run. [the last one]")
@click.option("--timeout", default=DEFAULT_LIMIT, metavar="TIME", help=f"Wait so long for an answer. [{DEFAULT_LIMIT}]")
@given_options
@connection_options
@json_option
def query(
    connection: Connection,
    called: CallTarget,
    arguments: list[Any],
    workflow_id: str,
    run_id: str,
    timeout: str,
    as_json: bool,
) -> None:
    """Ask an open or closed workflow: orders.py:Order.state order-17. What the query takes are options.

    Prints the answer as JSON. The workflow's name may be left out where only one has the query.

    Exits 0 with an answer, 1 when the query fails or the workflow is another, 2 for wrong usage, 4 without an answer.
    """
    import asyncio

    limit = parse_duration(timeout, "--timeout")
    answer = asyncio.run(_query(connection, called, arguments, workflow_id, run_id, limit))
    echo_json({"form": FORM, "workflow_id": workflow_id, "query": called.name, "answer": answer} if as_json else answer)


async def _query(
    connection: Connection, called: CallTarget, arguments: list[Any], workflow_id: str, run_id: str, limit: float
) -> Any:
    from ...introspection import handlers_client

    client, _ = await connected(connection, called)
    return value_of(await handlers_client.query(client, called, arguments, workflow_id, run_id, limit), client)
