"""`devserver cluster down` and `devserver cluster delete`."""

from __future__ import annotations

import click

from ...cluster import ClusterControl
from ..options.cluster import cluster_name_option
from ..options.common import confirm, json_option, yes_option
from ..render.output import echo_form


@click.command()
@cluster_name_option
@json_option
def down(name: str, as_json: bool) -> None:
    """Stop a cluster. Its data survives.

    Stopping a cluster that is not running is not an error.
    """
    stopped = ClusterControl(name).down()
    if as_json:
        echo_form(stopped=[name] if stopped else [])
    else:
        click.echo(f"stopped the cluster {name}" if stopped else f"the cluster {name} was not running")


@click.command()
@cluster_name_option
@yes_option
@json_option
def delete(name: str, yes: bool, as_json: bool) -> None:
    """Delete a cluster that is not running, with its data and logs."""
    control = ClusterControl(name)
    control.folder.read()
    if not yes:
        confirm(f"Delete the cluster {name} with all its data ({control.folder.path})?")
    control.delete()
    if as_json:
        echo_form(deleted=[name])
    else:
        click.echo(f"deleted the cluster {name}")
