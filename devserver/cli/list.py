"""`devserver list`: the instances of this user."""

from __future__ import annotations

import json

import click

from ..housekeeping import tidy
from ..paths import Paths
from ..status import all_statuses
from ._instance_options import json_option

COLUMNS = ("name", "state", "address", "ui_url", "version")


@click.command(name="list")
@json_option
def list_(as_json: bool) -> None:
    """List the servers of this user, running and stopped."""
    paths = Paths.default()
    tidy(paths)
    found = all_statuses(paths)
    if as_json:
        click.echo(json.dumps(found, indent=2))
        return
    if not found:
        click.echo("no instances yet; start one with: devserver up")
        return
    rows = [COLUMNS, *([str(each[column] or "-") for column in COLUMNS] for each in found)]
    widths = [max(len(row[index]) for row in rows) for index in range(len(COLUMNS))]
    for row in rows:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
