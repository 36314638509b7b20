"""`devserver snapshot`: save, list, restore and delete a server's state."""

from __future__ import annotations

from contextlib import suppress

import click

from ..config.option_values import DEFAULT_NAME, check_name
from ..database import Overdue, find_overdue, refuse_newer, restore_into, snapshots
from ..errors import InstanceNotRunning
from ..instances import starting, stopping
from ..instances.cleanup import tidy
from ..instances.folder import InstanceFolder
from ..instances.record import Record, up_command
from ..system.paths import Paths
from .groups import CommandGroup
from .options.common import confirm, json_option, name_option, pause_schedules_option, yes_option
from .render.output import echo_form
from .render.progress import CliReporter
from .render.table import echo_table

COLUMNS = ("NAME", "CREATED", "SIZE", "SERVER")


@click.group(cls=CommandGroup)
def snapshot() -> None:
    """Save and restore a server's state."""


@snapshot.command()
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
        click.echo(f"saved {saved.name} ({_size(saved.size)}) of {name} in {saved.folder}")


@snapshot.command()
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
    record = InstanceFolder(paths, name).require_record()
    if record.options.ephemeral and not record.running():
        raise InstanceNotRunning(
            f"the instance {name} is ephemeral and not running: it has no state to replace",
            hint=f"start it first: {up_command(name)} -d --ephemeral",
        )
    chosen = snapshots.get(paths.snapshots(check_name(source or name)), snapshot_name)
    refuse_newer(chosen, record.server_version)
    if not yes:
        confirm(f"Replace the state of {name} ({record.database}) with {chosen.name}?")
    was_running = record.running()
    if pause_schedules and not was_running:
        raise InstanceNotRunning(
            f"the instance {name} is not running, so there is no start that pauses schedules",
            hint=f"restore without --pause-schedules, then: {up_command(name)} --pause-schedules",
        )
    before = _exchange(paths, record, chosen, was_running, pause_schedules)
    overdue = _overdue(InstanceFolder(paths, name).require_record(), was_running)
    if as_json:
        echo_form(
            name=name,
            restored=chosen.name,
            before=before.name if before else None,
            running=was_running,
            overdue=overdue.to_json() if overdue else None,
        )
        return
    if before is not None:
        click.echo(f"the state of {name} before is now the snapshot {before.name}")
    click.echo(f"restored {chosen.name} into {name}" + (", which is running again" if was_running else ""))


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


def _overdue(record: Record, was_running: bool) -> Overdue | None:
    """What the start found, or what the next start will find."""
    if was_running:
        return record.overdue
    found = find_overdue(record.database)
    if found:
        for line in found.lines(record.options.retention, now=False):
            click.echo(line, err=True)
    return found


@snapshot.command(name="list")
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
    rows = ((item.name, item.created, _size(item.size), item.server_version or "-") for item in found)
    echo_table(COLUMNS, rows)


@snapshot.command()
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


def _size(size: int) -> str:
    return f"{size / 1e6:.1f} MB"
