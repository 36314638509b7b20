"""`devserver snapshot delete`: remove snapshots."""

from __future__ import annotations

import click

from ...config.option_values import check_name
from ...database import snapshots
from ...system.paths import Paths
from ..options.common import json_option, name_option
from ..render.output import echo_form


@click.command()
@click.argument("snapshot_names", metavar="NAME...", nargs=-1, required=True)
@name_option
@json_option
def delete(snapshot_names: tuple[str, ...], name: str, as_json: bool) -> None:
    """Delete snapshots."""
    folder = Paths.default().snapshots(check_name(name))
    for snapshot_name in snapshot_names:
        snapshots.get(folder, snapshot_name)  # all of them exist, or none is deleted
    deleted = list(dict.fromkeys(snapshot_names))
    for snapshot_name in deleted:
        snapshots.delete(folder, snapshot_name)
        if not as_json:
            click.echo(f"deleted {snapshot_name}")
    if as_json:
        echo_form(name=name, deleted=deleted)
