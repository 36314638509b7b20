"""`devserver prune`: remove executables that are no longer needed."""

from __future__ import annotations

import click


@click.command()
@click.option("--keep", multiple=True, metavar="VERSION", help="Keep this version too. May be repeated.")
@click.option("--all", "everything", is_flag=True, help="Remove the default version too.")
@click.option("--dry-run", is_flag=True, help="Remove nothing, only tell what would be removed.")
def prune(keep: tuple[str, ...], everything: bool, dry_run: bool) -> None:
    """Remove executables that are no longer needed.

    The default version stays, and so does what an instance runs or ran with. Databases are not touched.
    """
    from ... import executables
    from ...system.paths import Paths

    results = executables.prune(Paths.default(), keep=keep, everything=everything, dry_run=dry_run)
    freed = 0
    for result in results:
        if result.kept_because is not None:
            click.echo(f"kept temporal {result.version}: {result.kept_because}")
            continue
        freed += result.size
        click.echo(f"{'would remove' if dry_run else 'removed'} temporal {result.version}")
    word = "would free" if dry_run else "freed"
    click.echo(f"{word} {freed / 1_000_000:.0f} MB" if results else "nothing is installed")
