"""`devserver snapshot import`: the snapshot in a file, added to those of an instance."""

from __future__ import annotations

from pathlib import Path

import click

from ...config.option_values import DEFAULT_NAME, check_name
from ...database import import_snapshot, is_newer
from ...instances.folder import InstanceFolder
from ...system.paths import Paths, whole
from ..options.common import json_option, name_option
from ..render.output import echo_form, echo_note
from ..render.progress import CliReporter
from ..render.terminal import clean
from . import size_text


@click.command(name="import")
@click.argument("file", metavar="FILE", type=click.Path(path_type=Path))
@click.argument("snapshot_name", metavar="[NAME]", required=False)
@name_option
@json_option
def import_(file: Path, snapshot_name: str | None, name: str, as_json: bool) -> None:
    """Check FILE and add the snapshot in it to those of an instance, as NAME (default: the name that it was saved by).

    `devserver snapshot restore` restores it, also into an instance that was never started.
    """
    paths = Paths.default()
    check_name(name, new=True)
    with CliReporter() as reporter:
        found = import_snapshot(whole(file), paths.snapshots(name), snapshot_name, reporter)
    record = InstanceFolder(paths, name).read_record()
    if record is not None and is_newer(found, record.server_version):
        echo_note(
            f"server {found.server_version} wrote it, and the instance runs {record.server_version}: "
            f"start it with --version {found.cli_version or 'VERSION'} before you restore it"
        )
    if as_json:
        echo_form(**found.to_json())
        return
    option = "" if name == DEFAULT_NAME else f" --name {name}"
    click.echo(clean(f"imported {found.name} ({size_text(found.size)}, server {found.server_version or 'unknown'})"))
    click.echo(f"restore it with: devserver snapshot restore {found.name}{option}")
