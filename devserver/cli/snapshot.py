"""`devserver snapshot`: save, list, restore and delete a server's state."""

from __future__ import annotations

import json
from contextlib import suppress

import click

from ..config.server_options import DEFAULT_NAME, check_name
from ..database import refuse_newer, restore_into, snapshots
from ..errors import InstanceNotRunning
from ..instances import lifecycle
from ..instances.cleanup import tidy
from ..instances.record import Record
from ..system.paths import Paths
from .options.confirmation import confirm, yes_option
from .options.server import json_option, name_option
from .render.progress import CliReporter
from .render.table import echo_table

COLUMNS = ("NAME", "CREATED", "SIZE", "SERVER")


@click.group()
def snapshot() -> None:
    """Save and restore a server's state."""


@snapshot.command()
@click.argument("snapshot_name", metavar="[NAME]", required=False)
@name_option
@json_option
def save(snapshot_name: str | None, name: str, as_json: bool) -> None:
    """Save the state as NAME (else named after the time). A running server goes on meanwhile."""
    paths = Paths.default()
    tidy(paths)
    record = lifecycle.known(paths, name)
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
        click.echo(json.dumps(saved.to_json(), indent=2))
    else:
        click.echo(f"saved {saved.name} ({_size(saved.size)}) of {name} in {saved.folder}")


@snapshot.command()
@click.argument("snapshot_name", metavar="NAME")
@name_option
@click.option("--from", "source", metavar="INSTANCE", help="Whose snapshot, if not this instance's own.")
@yes_option
def restore(snapshot_name: str, name: str, source: str | None, yes: bool) -> None:
    """Bring a saved state back, in the place of what the server holds now.

    A running server is stopped and started again as it was, detached. What it held becomes a snapshot itself.
    """
    paths = Paths.default()
    tidy(paths)
    record = lifecycle.known(paths, name)
    if record.options.ephemeral and not record.running():
        raise InstanceNotRunning(
            f"the instance {name} is ephemeral and does not run: there is nothing to restore into",
            hint=f"start it first: {lifecycle.up(name)} -d --ephemeral",
        )
    chosen = snapshots.get(paths.snapshots(check_name(source or name)), snapshot_name)
    refuse_newer(chosen, record.server_version)
    if not yes:
        confirm(f"Replace the state of {name} ({record.database}) by {chosen.name}?")
    was_running = record.running()
    kept = _exchange(paths, record, chosen, was_running)
    if kept is not None:
        click.echo(f"what {name} held before is now the snapshot {kept.name}")
    click.echo(f"restored {chosen.name} into {name}" + (", which runs again" if was_running else ""))


def _exchange(paths: Paths, record: Record, chosen: snapshots.Snapshot, was_running: bool) -> snapshots.Snapshot | None:
    """Stop the server, exchange its file, and start it again where it ran, whatever came of it."""
    reporter = CliReporter()
    if was_running:
        with suppress(InstanceNotRunning):
            lifecycle.stop(paths, record.name, keep=True)
    try:
        folder = paths.snapshots(record.name)
        return restore_into(chosen, record.database, keep_in=folder, note=reporter.note)
    finally:
        if was_running:
            lifecycle.start_again(paths, record.name, reporter)


@snapshot.command(name="list")
@name_option
@json_option
def list_(name: str, as_json: bool) -> None:
    """List the snapshots of an instance, oldest first."""
    found = snapshots.list_(Paths.default().snapshots(check_name(name)))
    if as_json:
        click.echo(json.dumps([each.to_json() for each in found], indent=2))
        return
    if not found:
        option = "" if name == DEFAULT_NAME else f" --name {name}"
        click.echo(f"no snapshots of {name}; save one with: devserver snapshot save{option}")
        return
    rows = ((each.name, each.created, _size(each.size), each.server_version or "-") for each in found)
    echo_table(COLUMNS, rows)


@snapshot.command()
@click.argument("snapshot_names", metavar="NAME...", nargs=-1, required=True)
@name_option
def delete(snapshot_names: tuple[str, ...], name: str) -> None:
    """Delete snapshots."""
    folder = Paths.default().snapshots(check_name(name))
    for each in snapshot_names:
        snapshots.get(folder, each)  # all of them are there, or none is deleted
    for each in dict.fromkeys(snapshot_names):
        snapshots.delete(folder, each)
        click.echo(f"deleted {each}")


def _size(size: int) -> str:
    return f"{size / 1e6:.1f} MB"
