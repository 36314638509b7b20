"""`devserver workflow terminate`: close a workflow at once."""

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
@click.option("--reason", metavar="TEXT", help="Reason, shown in the workflow's history.")
@connection_options
@json_option
def terminate(connection: Connection, workflow_id: str, run_id: str, reason: str | None, as_json: bool) -> None:
    """Close an open workflow at once: its code does not notice and cannot clean up. Prefer cancel.

    Exits 0 when it was terminated, 1 when it is closed already, 4 when there is no such workflow or the server cannot
    be reached.
    """
    from ...introspection import workflow_control

    call_server(connection, lambda client: workflow_control.terminate(client, workflow_id, run_id, reason))
    if as_json:
        echo_form(workflow_id=workflow_id, terminated=True)
    else:
        click.echo(clean(f"terminated {workflow_id}"))
