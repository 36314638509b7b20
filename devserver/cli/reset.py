"""`devserver reset`: a server as new."""

from __future__ import annotations

import contextlib

import click

from ..errors import InstanceNotRunning
from ..instances import lifecycle
from ..instances.cleanup import tidy
from ..system.paths import Paths
from .options.confirmation import confirm, yes_option
from .options.server import name_option
from .render.progress import CliReporter


@click.command()
@name_option
@yes_option
def reset(name: str, yes: bool) -> None:
    """Delete what a server has kept. A running one is started again, empty; snapshots stay."""
    paths = Paths.default()
    tidy(paths)
    record = lifecycle.known(paths, name)
    if not yes:
        confirm(f"Delete all workflows in {record.database}?")
    was_running = record.running()
    with contextlib.suppress(InstanceNotRunning):
        lifecycle.stop(paths, name, keep=was_running)
    lifecycle.erase(paths, name)
    if was_running:
        lifecycle.start_again(paths, name, CliReporter(), fork=True)
    click.echo(f"{name} is empty" + (" and runs again" if was_running else ""))
