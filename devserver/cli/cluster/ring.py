"""Commands for the nodes of Cassandra: `devserver cluster ring|add-node|decommission|remove-node|delete-node|...`."""

from __future__ import annotations

import click

from ...cluster import ClusterControl
from ..options.cluster import cluster_name_option
from ..options.common import json_option
from ..options.types import Duration
from ..render.cluster import echo_status
from ..render.output import echo_form
from ..render.table import echo_table

JOIN_SECONDS = 400.0
LEAVE_SECONDS = 600.0
LINES = {
    "decommission": """Have nodes hand over their data and leave the ring.

Cassandra refuses where fewer nodes would be left than the replication factor: add a node first. The process keeps
running afterwards; delete-node ends it.""",
    "remove-node": """Take nodes out of the ring that are dead or cannot be reached.

Cassandra refuses while other nodes reach the node: use decommission then.""",
    "delete-node": """End nodes that have left the ring, and remove their data.""",
    "black-hole": """Drop all packets between nodes and everything else, without an answer to the sender.

The process runs on: what connects to it waits for its own time-out. Needs nft and user namespaces (Linux).""",
    "reconnect": """End the black hole of nodes.""",
}

limit_option = click.option(
    "--timeout", "limit", type=Duration(positive=True), default=f"{LEAVE_SECONDS:g}s", help="How long to wait."
)


@click.command()
@click.argument("node", default="")
@cluster_name_option
@json_option
def ring(node: str, name: str, as_json: bool) -> None:
    """Show the ring as NODE sees it (default: the first node that runs).

    `down` means that this node does not reach the other one.
    """
    found = ClusterControl(name).ask("ring", member=node)
    if as_json:
        echo_form(seen_by=found["seen_by"], ring=found["ring"])
        return
    click.echo(f"seen by {found['seen_by']}")
    click.echo()
    echo_table(
        ("NODE", "ADDRESS", "REACHED", "STATE"),
        ((entry["name"], entry["address"], "up" if entry["up"] else "down", entry["state"]) for entry in found["ring"]),
    )


@click.command(name="add-node")
@click.argument("node", default="")
@cluster_name_option
@click.option(
    "--timeout", "limit", type=Duration(positive=True), default=f"{JOIN_SECONDS:g}s", help="How long to wait."
)
@json_option
def add_node(node: str, name: str, limit: float, as_json: bool) -> None:
    """Start a new node, and wait until it is in the ring and serves.

    NODE is its name, such as node-4; the next free number by default. A node that is in the cluster is started.
    """
    echo_status(ClusterControl(name).ask("add-node", member=node, limit=limit), as_json=as_json)


def _command(kind: str) -> click.Command:
    @click.command(name=kind, help=LINES[kind])
    @click.argument("nodes", metavar="NODE...", nargs=-1, required=True)
    @cluster_name_option
    @limit_option
    @json_option
    def act(nodes: tuple[str, ...], name: str, limit: float, as_json: bool) -> None:
        control = ClusterControl(name)
        status = control.ask("status")
        for node in nodes:
            status = control.ask(kind, member=node, limit=limit)
        echo_status(status, as_json=as_json)

    return act


decommission, remove_node, delete_node, black_hole, reconnect = (
    _command(kind) for kind in ("decommission", "remove-node", "delete-node", "black-hole", "reconnect")
)
