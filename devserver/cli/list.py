"""`devserver list`: the instances of this user."""

from __future__ import annotations

import click

from ..instances.cleanup import tidy
from ..instances.status import all_statuses
from ..system.paths import Paths
from .error_output import show
from .options.common import json_option
from .render.output import echo_form
from .render.table import echo_table

COLUMNS = ("name", "state", "address", "tls", "ui_url", "version")


@click.command(name="list")
@json_option
def list_(as_json: bool) -> None:
    """List your servers, running and stopped."""
    paths = Paths.default()
    tidy(paths)
    found = all_statuses(paths, show)
    if as_json:
        echo_form(servers=[{key: value for key, value in status.items() if key != "form"} for status in found])
        return
    if not found:
        click.echo("no servers yet; start one with: devserver up")
        return
    for status in found:
        status["tls"] = status["tls"] and status["tls"]["address"]
    columns = [column for column in COLUMNS if column != "tls" or any(status["tls"] for status in found)]
    head = [column.upper().replace("_", " ") for column in columns]
    echo_table(head, ([str(status[column] or "-") for column in columns] for status in found))
