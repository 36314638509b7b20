"""`devserver snapshot list`: the snapshots of an instance."""

from __future__ import annotations

import click

from ...config.option_values import DEFAULT_NAME, check_name
from ...database import snapshots
from ...system.paths import Paths
from ..options.common import json_option, name_option
from ..render.output import echo_form
from ..render.table import echo_table
from . import size_text

COLUMNS = ("NAME", "CREATED", "SIZE", "SERVER")


@click.command(name="list")
@name_option
@json_option
def list_(name: str, as_json: bool) -> None:
    """List the snapshots of an instance, oldest first."""
    found = snapshots.list_(Paths.default().snapshots(check_name(name)))
    if as_json:
        echo_form(name=name, snapshots=[item.to_json() for item in found])
        return
    if not found:
        option = "" if name == DEFAULT_NAME else f" --name {name}"
        click.echo(f"no snapshots of {name}; save one with: devserver snapshot save{option}")
        return
    rows = ((item.name, item.created, size_text(item.size), item.server_version or "-") for item in found)
    echo_table(COLUMNS, rows)
