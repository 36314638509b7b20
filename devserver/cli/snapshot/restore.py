"""`devserver snapshot restore`: replace a server's state with a snapshot."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import click

from ...config.durations import parse_duration
from ...config.option_values import check_name
from ...config.server_options import DEFAULT_RETENTION
from ...config.settings import Settings
from ...database import Overdue, find_overdue, refuse_newer, restore_into, snapshots
from ...errors import InstanceNotRunning
from ...instances import starting, stopping
from ...instances.cleanup import tidy
from ...instances.folder import InstanceFolder
from ...instances.record import Record, up_command
from ...system.files import private_folder
from ...system.paths import Paths
from ..options.common import confirm, json_option, name_option, pause_schedules_option, project_file, yes_option
from ..render.output import echo_form
from ..render.progress import CliReporter


@click.command()
@click.argument("snapshot_name", metavar="NAME")
@name_option
@click.option("--from", "source", metavar="INSTANCE", help="Restore a snapshot of another instance.")
@yes_option
@pause_schedules_option
@json_option
def restore(snapshot_name: str, name: str, source: str | None, yes: bool, pause_schedules: bool, as_json: bool) -> None:
    """Replace a server's state with a snapshot.

    A running server is stopped and started again, detached. Its state before becomes a snapshot too.
    The server keeps closed workflows for another retention period, also those of an old snapshot.
    """
    paths = Paths.default()
    tidy(paths)
    record = InstanceFolder(paths, name).read_record()
    settings = Settings.load(project=project_file()) if record is None else Settings()
    if settings.ephemeral or (record is not None and record.options.ephemeral and not record.running()):
        raise InstanceNotRunning(
            f"the instance {name} is ephemeral and not running: it has no state to replace",
            hint=f"start it first: {up_command(name)} -d --ephemeral",
        )
    chosen = snapshots.get(paths.snapshots(check_name(source or name)), snapshot_name)
    if record is None:
        if pause_schedules:
            raise _nothing_to_pause(name)
        _restore_unstarted(paths, name, chosen, settings, yes=yes, as_json=as_json)
        return
    refuse_newer(chosen, record.server_version)
    if not yes:
        confirm(f"Replace the state of {name} ({record.database}) with {chosen.name}?")
    was_running = record.running()
    if pause_schedules and not was_running:
        raise _nothing_to_pause(name)
    before = _exchange(paths, record, chosen, was_running, pause_schedules)
    again = InstanceFolder(paths, name).require_record()
    overdue = again.overdue if was_running else _overdue(again.database, again.options.retention)
    _echo(name, chosen, before, overdue, running=was_running, as_json=as_json)


def _restore_unstarted(
    paths: Paths, name: str, chosen: snapshots.Snapshot, settings: Settings, *, yes: bool, as_json: bool
) -> None:
    """Give an instance a state before its first start, as on a machine that has only imported it."""
    retention = parse_duration(settings.retention, "retention") if settings.retention else DEFAULT_RETENTION
    database = settings.db_filename or paths.database(name)
    if settings.db_filename is None:
        private_folder(database.parent)
    if database.exists() and not yes:
        confirm(f"Replace the state in {database} with {chosen.name}?")
    before = restore_into(
        chosen, database, keep_in=paths.snapshots(name), keep_closed_for=retention, note=CliReporter().note
    )
    _echo(name, chosen, before, _overdue(database, retention), running=False, as_json=as_json)


def _nothing_to_pause(name: str) -> InstanceNotRunning:
    return InstanceNotRunning(
        f"the instance {name} is not running, so there is no start that pauses schedules",
        hint=f"restore without --pause-schedules, then: {up_command(name)} --pause-schedules",
    )


def _echo(
    name: str,
    chosen: snapshots.Snapshot,
    before: snapshots.Snapshot | None,
    overdue: Overdue | None,
    *,
    running: bool,
    as_json: bool,
) -> None:
    if as_json:
        echo_form(
            name=name,
            restored=chosen.name,
            before=before.name if before else None,
            running=running,
            overdue=overdue.to_json() if overdue else None,
        )
        return
    if before is not None:
        click.echo(f"the state of {name} before is now the snapshot {before.name}")
    click.echo(f"restored {chosen.name} into {name}" + (", which is running again" if running else ""))


def _exchange(
    paths: Paths, record: Record, chosen: snapshots.Snapshot, was_running: bool, pause_schedules: bool
) -> snapshots.Snapshot | None:
    """Stop the server, replace its file, and start it again if it was running, also after a failure."""
    reporter = CliReporter()
    if was_running:
        with suppress(InstanceNotRunning):
            stopping.stop(InstanceFolder(paths, record.name), keep=True)
    try:
        folder = paths.snapshots(record.name)
        return restore_into(
            chosen,
            record.database,
            keep_in=folder,
            keep_closed_for=record.options.retention,
            note=reporter.note,
        )
    finally:
        if was_running:
            starting.start_again(InstanceFolder(paths, record.name), reporter, pause_schedules=pause_schedules)


def _overdue(database: Path, retention: int) -> Overdue | None:
    """What the next start will find."""
    found = find_overdue(database)
    if found:
        for line in found.lines(retention, now=False):
            click.echo(line, err=True)
    return found
