"""Options of the commands for clusters."""

from __future__ import annotations

import click

from ...config.option_values import DEFAULT_NAME

cluster_name_option = click.option(
    "--cluster", "name", default=DEFAULT_NAME, metavar="NAME", help="Name of the cluster."
)
