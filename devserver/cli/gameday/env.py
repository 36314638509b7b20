"""`devserver gameday env`: the settings for the terminals that the person works in."""

from __future__ import annotations

import click

from ..env import FORMATS
from ..options.common import json_option
from ..options.gameday import gameday_name_option
from ..render.output import echo_form


@click.command()
@gameday_name_option
@click.option(
    "--format",
    "syntax",
    type=click.Choice([syntax for syntax in FORMATS if syntax != "github"]),
    default="sh",
    help="Shell or file to write for.",
)
@json_option
def env(name: str | None, syntax: str, as_json: bool) -> None:
    """Print the settings for the terminals that you work in.

    \b
    eval "$(devserver gameday env)"

    In such a terminal, commands of devserver and clients use the server of the game day, and your commands of devserver
    are logged for the debrief, without secrets and whole inputs.
    """
    from ...instances.dev_server import DevServer
    from ...rehearsal.gameday.record import GameDayFolder
    from ...system.command_log import VARIABLE
    from ...system.paths import Paths

    folder = GameDayFolder.find(Paths.default(), name)
    server = DevServer.attach(folder.name)
    values = {
        "DEVSERVER_NAME": folder.name,
        "TEMPORAL_ADDRESS": server.address,
        "TEMPORAL_NAMESPACE": server.namespace,
        VARIABLE: str(folder.commands),
    }
    if as_json:
        echo_form(name=folder.name, variables=values)
    else:
        click.echo("\n".join(FORMATS[syntax](key, value) for key, value in values.items()))
