"""`devserver reset`: a server as new."""

from __future__ import annotations

import contextlib
import sys

import click

from .. import instance
from ..errors import DevServerError, InstanceNotRunning
from ..housekeeping import tidy
from ..paths import Paths
from ._instance_options import name_option, yes_option
from ._report import CliReporter


@click.command()
@name_option
@yes_option
def reset(name: str, yes: bool) -> int:
    """Delete what a server has kept. A running one is started again, empty; snapshots stay."""
    paths = Paths.default()
    tidy(paths)
    record = instance.known(paths, name)
    if not yes and not _confirmed(f"Delete all workflows in {record.database}?"):
        click.echo("nothing was deleted")
        return 1
    was_running = record.running()
    with contextlib.suppress(InstanceNotRunning):
        instance.stop(paths, name, keep=was_running)
    instance.erase(paths, name)
    if was_running:
        instance.start_again(paths, name, CliReporter(), fork=True)
    click.echo(f"{name} is empty" + (" and runs again" if was_running else ""))
    return 0


def _confirmed(question: str) -> bool:
    try:
        return click.confirm(question)
    except click.Abort:
        if sys.stdin.isatty():
            raise
        raise DevServerError("there is nobody to answer that", hint="use --yes where no one can be asked") from None
