"""`devserver reset`: a server without state."""

from __future__ import annotations

import contextlib

import click

from ..errors import InstanceNotRunning
from ..instances import starting, stopping
from ..instances.cleanup import tidy
from ..instances.folder import InstanceFolder
from ..system.paths import Paths
from .options.common import confirm, declare, declared_settings, json_option, name_option, yes_option
from .render.output import echo_form
from .render.progress import CliReporter


@click.command()
@name_option
@click.option("--forget", is_flag=True, help="Remove the instance too: stop it, delete its log, snapshots and backups.")
@yes_option
@json_option
def reset(name: str, forget: bool, yes: bool, as_json: bool) -> None:
    """Delete a server's state. A running server is started again, empty; snapshots stay.

    In the project's folder, a running server gets the Nexus endpoints and schedules of its settings again. With
    --forget nothing is left of the instance, except a database that you named with --db-filename.
    """
    paths, settings = Paths.default(), declared_settings(name)
    tidy(paths)
    folder = InstanceFolder(paths, name)
    record = folder.require_record()
    if forget:
        _forget(folder, yes=yes, as_json=as_json)
        return
    if not yes:
        confirm(f"Delete all workflows in {record.database}?")
    was_running = record.running()
    with contextlib.suppress(InstanceNotRunning):
        stopping.stop(folder, keep=was_running)
    stopping.erase(folder)
    if was_running:
        reporter = CliReporter()
        declare(starting.start_again(folder, reporter, fork=True), settings, reporter)
    if as_json:
        echo_form(name=name, database=str(record.database), running=was_running)
    else:
        click.echo(f"{name} is empty" + (" and running again" if was_running else ""))


def _forget(folder: InstanceFolder, *, yes: bool, as_json: bool) -> None:
    if not yes:
        confirm(f"Delete the instance {folder.name} with its log, database, snapshots and backups?")
    with contextlib.suppress(InstanceNotRunning):
        stopping.stop(folder)
    stopping.forget(folder)
    if as_json:
        echo_form(name=folder.name, forgotten=True)
    else:
        click.echo(f"forgot {folder.name}")
