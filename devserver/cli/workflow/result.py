"""`devserver workflow result`: wait for the result of a workflow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from ...client.connection import Connection
from ..options.client import connect_with, converter_options
from ..options.common import json_option
from ..options.connection import connection_options
from ..options.workflow import run_id_option, workflow_id_parameters
from ..render.output import echo_failure, echo_form, echo_json, value_of

if TYPE_CHECKING:
    from temporalio.client import Client

    from ...introspection.results import WorkflowOutcome


@click.command()
@workflow_id_parameters(closed=True)
@run_id_option("the last run")
@converter_options
@connection_options
@json_option
@click.pass_context
def result(
    ctx: click.Context, /, connection: Connection, workflow_id: str, run_id: str, as_json: bool, **how: Any
) -> None:
    """Wait until a workflow ends and print its result as JSON, across continue-as-new and retries.

    Exits 0 when it completed, 1 when it failed, was canceled, terminated or timed out, 4 when there is no such workflow
    or the server cannot be reached.
    """
    import asyncio

    client, outcome = asyncio.run(_result(connection, workflow_id, run_id, how))
    failure = outcome.failure
    if as_json:
        echo_form(
            workflow_id=workflow_id,
            result=value_of(outcome.result, client),
            failure=list(failure.lines) if failure else None,
        )
    elif failure is not None:
        echo_failure(f"{workflow_id} did not complete", failure)
    else:
        echo_json(value_of(outcome.result, client))
    ctx.exit(0 if failure is None else 1)


async def _result(
    connection: Connection, workflow_id: str, run_id: str, how: dict[str, Any]
) -> tuple[Client, WorkflowOutcome]:
    from ...client.target import find_target
    from ...introspection import workflow_control

    client = await connect_with(find_target(connection), how["data_converter"], how["plugins"])
    return client, await workflow_control.result(client, workflow_id, run_id)
