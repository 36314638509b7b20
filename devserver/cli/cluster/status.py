"""`devserver cluster status` and `devserver cluster list`."""

from __future__ import annotations

import click

from ...cluster import ClusterControl
from ...cluster.declaration import Cluster
from ...cluster.folder import ClusterFolder
from ...system.paths import Paths
from ..options.cluster import cluster_name_option
from ..options.common import json_option
from ..render.cluster import echo_status
from ..render.output import echo_form
from ..render.table import echo_table


@click.command()
@cluster_name_option
@json_option
@click.pass_context
def status(ctx: click.Context, name: str, as_json: bool) -> None:
    """Show a cluster and its members. Exits 0 when every member runs, 1 when not, 4 when it does not exist.

    That a member runs does not show that it works: ask for a workflow.
    """
    found = ClusterControl(name).ask("status")
    echo_status(found, as_json=as_json)
    ctx.exit(0 if found["state"] == "ready" else 1)


@click.command(name="list")
@json_option
def list_(as_json: bool) -> None:
    """List your clusters."""
    rows = [
        {
            "name": folder.name,
            "running": folder.running(),
            "declaration": folder.read()["declaration"],
            "folder": str(folder.path),
        }
        for folder in ClusterFolder.all(Paths.default())
    ]
    if as_json:
        echo_form(clusters=rows)
    elif not rows:
        click.echo("no clusters; start one with: devserver cluster up")
    else:
        echo_table(
            ("NAME", "STATE", "CLUSTER"),
            (
                (row["name"], "running" if row["running"] else "stopped", str(Cluster.from_json(row["declaration"])))
                for row in rows
            ),
        )
