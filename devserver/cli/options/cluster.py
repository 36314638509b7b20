"""Options of the commands for clusters."""

from __future__ import annotations

import click

from ...config.option_values import DEFAULT_NAME

MEMBERS = "MEMBER is one process, such as history-2 or postgres, or a role (history), which means all its processes."

ROLE_MEMBERS = (
    "MEMBER is one process with a role, such as history-2, or a role (history), which means all its processes."
)

cluster_name_option = click.option(
    "--cluster", "name", default=DEFAULT_NAME, metavar="NAME", help="Name of the cluster."
)
