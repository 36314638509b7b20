"""`devserver down`: stop a server."""

from __future__ import annotations

import click

from ..errors import InstanceNotRunning
from ..instances import stopping
from ..instances.cleanup import tidy
from ..instances.folder import InstanceFolder
from ..system.paths import Paths
from .options.common import json_option, name_option
from .render.output import echo_form


@click.command()
@name_option
@click.option("--all", "all_", is_flag=True, help="Stop all your servers.")
@json_option
def down(name: str, all_: bool, as_json: bool) -> None:
    """Stop a server. Its state survives.

    Stopping a server that is not running is not an error.
    """
    paths = Paths.default()
    tidy(paths)
    stopped: list[str] = []
    for folder in InstanceFolder.all(paths) if all_ else [InstanceFolder(paths, name)]:
        try:
            stopping.stop(folder)
        except InstanceNotRunning:
            continue
        stopped.append(folder.name)
        if not as_json:
            click.echo(f"stopped {folder.name}")
    if as_json:
        echo_form(stopped=stopped)
    elif not stopped:
        click.echo("no server was running" if all_ else f"{name} was not running")
