"""`devserver cluster logs`: the log of a member."""

from __future__ import annotations

import click

from ...cluster import ClusterControl, MemberUnknown
from ...cluster.declaration import DATABASE, Cluster
from ...server.log import log_tail
from ..options.cluster import cluster_name_option
from ..options.common import json_option
from ..render.output import echo_json_line
from ..render.terminal import clean

MOST_BYTES = 10_000_000


@click.command()
@click.argument("member")
@cluster_name_option
@click.option(
    "--lines", "--tail", "-n", type=click.IntRange(min=0), default=100, metavar="N", help="Number of lines to show."
)
@json_option
def logs(member: str, name: str, lines: int, as_json: bool) -> None:
    """Show the log of MEMBER, such as history-1, postgres, node-1 or supervisor."""
    folder = ClusterControl(name).folder
    record = folder.read()
    nodes = [f"node-{number}" for number in record.get("nodes", ())]
    members = [DATABASE, *nodes, *Cluster.from_json(record["declaration"]).roles.members(), "supervisor"]
    if member not in members:
        raise MemberUnknown(f"the cluster {name} has no member {member!r}", hint=f"its members: {', '.join(members)}")
    for line in log_tail(folder.log(member), lines, most=MOST_BYTES, all_runs=True):
        if as_json:
            echo_json_line(line=line)
        else:
            click.echo(clean(line.expandtabs()))
