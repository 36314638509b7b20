"""`devserver snapshot save`: a named copy of the state."""

from __future__ import annotations

import click

from ...database import snapshots
from ...instances.cleanup import tidy
from ...instances.folder import InstanceFolder
from ...system.paths import Paths
from ..options.common import json_option, name_option
from ..render.output import echo_form
from ..render.progress import CliReporter
from . import size_text


@click.command()
@click.argument("snapshot_name", metavar="[NAME]", required=False)
@name_option
@json_option
def save(snapshot_name: str | None, name: str, as_json: bool) -> None:
    """Save the state as NAME (default: the current time). A running server keeps running."""
    paths = Paths.default()
    tidy(paths)
    record = InstanceFolder(paths, name).require_record()
    saved = snapshots.save(
        record.database,
        paths.snapshots(name),
        snapshot_name,
        server_version=record.server_version,
        cli_version=record.version,
        instance=name,
        note=CliReporter().note,
    )
    if as_json:
        echo_form(**saved.to_json())
    else:
        click.echo(f"saved {saved.name} ({size_text(saved.size)}) of {name} in {saved.folder}")
