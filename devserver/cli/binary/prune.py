"""`devserver binary prune`: remove executables that are not needed."""

from __future__ import annotations

import click

from ..options.common import json_option
from ..render.output import echo_form


@click.command()
@click.option("--keep", multiple=True, metavar="VERSION", help="Version to keep. Repeatable.")
@click.option("--all", "everything", is_flag=True, help="Remove the default version too.")
@click.option("--dry-run", is_flag=True, help="Show what would be removed, and remove nothing.")
@json_option
def prune(keep: tuple[str, ...], everything: bool, dry_run: bool, as_json: bool) -> None:
    """Remove executables that are not needed.

    The default version stays, and so do those that an instance runs or ran with. Databases are not touched.
    """
    from ... import executables
    from ...system.paths import Paths

    results = executables.prune(Paths.default(), keep=keep, everything=everything, dry_run=dry_run)
    freed = sum(result.size for result in results if result.kept_because is None)
    if as_json:
        rows = [
            {"version": item.version, "bytes": item.size, "removed": not item.kept_because, "reason": item.kept_because}
            for item in results
        ]
        echo_form(dry_run=dry_run, versions=rows, freed_bytes=freed)
        return
    for result in results:
        if result.kept_because is not None:
            click.echo(f"kept temporal {result.version}: {result.kept_because}")
        else:
            click.echo(f"{'would remove' if dry_run else 'removed'} temporal {result.version}")
    word = "would free" if dry_run else "freed"
    click.echo(f"{word} {freed / 1_000_000:.0f} MB" if results else "nothing is installed")
