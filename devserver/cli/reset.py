"""`devserver reset`: a server as new."""

from __future__ import annotations

import contextlib

import click

from .. import instance
from ..errors import InstanceNotRunning
from ..housekeeping import tidy
from ..system.paths import Paths
from ._confirming import confirm, yes_option
from ._instance_options import name_option
from ._report import CliReporter


@click.command()
@name_option
@yes_option
def reset(name: str, yes: bool) -> None:
    """Delete what a server has kept. A running one is started again, empty; snapshots stay."""
    paths = Paths.default()
    tidy(paths)
    record = instance.known(paths, name)
    if not yes:
        confirm(f"Delete all workflows in {record.database}?")
    was_running = record.running()
    with contextlib.suppress(InstanceNotRunning):
        instance.stop(paths, name, keep=was_running)
    instance.erase(paths, name)
    if was_running:
        instance.start_again(paths, name, CliReporter(), fork=True)
    click.echo(f"{name} is empty" + (" and runs again" if was_running else ""))
