"""`devserver snapshot export`: a server's state, or a snapshot, as one file."""

from __future__ import annotations

import shlex
import tempfile
from pathlib import Path

import click

from ...config.option_values import check_name
from ...config.sizes import format_size
from ...database import export_snapshot, snapshots
from ...errors import OptionError
from ...instances.cleanup import tidy
from ...instances.folder import InstanceFolder
from ...system.files import private_folder
from ...system.paths import Paths, whole
from ...system.timefmt import utc_for_names
from ..options.common import json_option, name_option
from ..render.output import echo_form
from ..render.progress import CliReporter
from ..render.terminal import clean


@click.command()
@click.argument("file", metavar="FILE", type=click.Path(path_type=Path))
@click.argument("snapshot_name", metavar="[NAME]", required=False)
@name_option
@json_option
def export(file: Path, snapshot_name: str | None, name: str, as_json: bool) -> None:
    """Write the state of a server, or its snapshot NAME, into one file. A running server keeps running.

    `devserver snapshot import` opens it elsewhere. It contains the input and the results of all workflows.
    """
    if snapshot_name is not None and "/" in snapshot_name:
        raise OptionError(
            f"{snapshot_name} is a file, and the file comes first",
            hint=f"run: devserver snapshot export {shlex.join((snapshot_name, str(file)))}",
        )
    paths, target = Paths.default(), whole(file)
    with CliReporter() as reporter:
        if snapshot_name is not None:
            chosen = snapshots.get(paths.snapshots(check_name(name)), snapshot_name)
            size = export_snapshot(chosen, target, reporter)
        else:
            chosen, size = _export_state(paths, name, target, reporter)
    if as_json:
        values = {key: value for key, value in chosen.to_json().items() if key != "folder"}
        echo_form(file=str(target), bytes=size, **values)
    else:
        click.echo(clean(f"exported {chosen.name} of {name} to {target} ({format_size(size)})"))


def _export_state(paths: Paths, name: str, target: Path, reporter: CliReporter) -> tuple[snapshots.Snapshot, int]:
    """Export the state of this moment, through a snapshot that is removed afterwards."""
    tidy(paths)
    record = InstanceFolder(paths, name).require_record()
    folder = private_folder(paths.snapshots(name))
    with tempfile.TemporaryDirectory(prefix=".export-", dir=folder) as own:
        saved = snapshots.save(
            record.database,
            Path(own),
            f"{name.lstrip('~')}-{utc_for_names()}"[:60],
            server_version=record.server_version,
            cli_version=record.version,
            instance=name,
            note=reporter.note,
        )
        return saved, export_snapshot(saved, target, reporter)
