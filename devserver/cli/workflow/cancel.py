"""`devserver workflow cancel`: request the cancellation of a workflow."""

from __future__ import annotations

import click

from ...client.connection import Connection
from ..options.client import call_server
from ..options.common import json_option
from ..options.connection import connection_options
from ..options.workflow import run_id_option, workflow_id_parameters
from ..render.output import echo_form
from ..render.terminal import clean


@click.command()
@workflow_id_parameters()
@run_id_option("the open run")
@connection_options
@json_option
def cancel(connection: Connection, workflow_id: str, run_id: str, as_json: bool) -> None:
    """Request the cancellation of an open workflow. Its code may clean up first, or ignore it.

    Exits 0 when the server has accepted the request, 1 when the workflow is closed, 4 when there is no such workflow or
    the server cannot be reached.
    """
    from ...introspection import workflow_control

    call_server(connection, lambda client: workflow_control.cancel(client, workflow_id, run_id))
    if as_json:
        echo_form(workflow_id=workflow_id, requested="cancel")
    else:
        click.echo(clean(f"requested the cancellation of {workflow_id}"))
