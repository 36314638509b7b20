"""`devserver list`: the instances of this user."""

from __future__ import annotations

import json

import click

from ..instances.cleanup import tidy
from ..instances.status import all_statuses
from ..system.paths import Paths
from .options.server import json_option
from .render.table import echo_table

COLUMNS = ("name", "state", "address", "ui_url", "version")


@click.command(name="list")
@json_option
def list_(as_json: bool) -> None:
    """List the servers of this user, running and stopped."""
    from .main import show

    paths = Paths.default()
    tidy(paths)
    found = all_statuses(paths, show)
    if as_json:
        click.echo(json.dumps(found, indent=2))
        return
    if not found:
        click.echo("no instances yet; start one with: devserver up")
        return
    head = [column.upper().replace("_", " ") for column in COLUMNS]
    echo_table(head, ([str(each[column] or "-") for column in COLUMNS] for each in found))
