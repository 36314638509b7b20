"""`devserver down`: stop a server."""

from __future__ import annotations

import click

from ..errors import InstanceNotRunning
from ..instances import lifecycle
from ..instances.cleanup import tidy
from ..instances.record import names
from ..system.paths import Paths
from .options.server import name_option


@click.command()
@name_option
@click.option("--all", "all_", is_flag=True, help="Stop every instance of this user.")
def down(name: str, all_: bool) -> None:
    """Stop a server; what it holds is there the next time.

    A server that does not run is not an error: it is down.
    """
    paths = Paths.default()
    tidy(paths)
    stopped = 0
    for each in names(paths) if all_ else [name]:
        try:
            lifecycle.stop(paths, each)
        except InstanceNotRunning:
            continue
        stopped += 1
        click.echo(f"stopped {each}")
    if not stopped:
        click.echo("nothing was running" if all_ else f"{name} was not running")
