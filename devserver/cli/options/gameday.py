"""Options of the commands for game days."""

from __future__ import annotations

import click

gameday_name_option = click.option(
    "--name", metavar="NAME", show_default="the only one that runs", help="Name of the devserver instance."
)
