"""Commands for clusters: `devserver cluster up|down|status|...`, and what is done to members and to nodes."""

from __future__ import annotations

import click

from ..groups import LazyGroup

SECTIONS = {
    "Cluster": {
        "up": "Start a cluster.",
        "down": "Stop a cluster. Its data survives.",
        "status": "Show a cluster and its members.",
        "list": "List your clusters.",
        "logs": "Show the log of a member.",
        "delete": "Delete a cluster with its data.",
        "build": "Build the server with all roles (needs Go).",
        "pull": "Take the server out of container images (needs Docker).",
    },
    "Members": {
        "start": "Start members that do not run.",
        "stop": "Stop members gracefully (SIGTERM).",
        "restart": "Stop members and start them again.",
        "kill": "Kill members (SIGKILL).",
        "freeze": "Suspend members: connections stay open, and nothing is answered.",
        "thaw": "Continue suspended members.",
    },
    "PostgreSQL": {
        "cut": "Cut the network between members and PostgreSQL.",
        "slow": "Make that network slow.",
        "heal": "End `cut` and `slow`.",
        "fill-disk": "Fill the disk of PostgreSQL.",
        "free-disk": "End `fill-disk`.",
        "exhaust-connections": "Use up every connection of PostgreSQL, until Ctrl-C.",
        "schema-behind": "Set the version of the schema one back.",
        "update-schema": "Update the schema to a version of the server.",
    },
    "Cassandra": {
        "ring": "Show the ring as one of its nodes sees it.",
        "add-node": "Start a new node, which joins the ring.",
        "decommission": "Have nodes hand over their data and leave the ring.",
        "remove-node": "Take dead nodes out of the ring.",
        "delete-node": "End nodes that have left the ring, and remove their data.",
        "black-hole": "Drop all packets between nodes and everything else.",
        "reconnect": "End the black hole of nodes.",
    },
}
MODULES = {
    **dict.fromkeys(
        ("cut", "slow", "heal", "fill-disk", "free-disk", "exhaust-connections", "schema-behind", "update-schema"),
        "outage",
    ),
    **dict.fromkeys(("decommission", "remove-node", "delete-node", "black-hole", "reconnect", "add-node"), "ring"),
    **dict.fromkeys(("stop", "restart", "kill", "freeze", "thaw", "start"), "member"),
    "list": "status",
    "delete": "down",
}


@click.group(cls=LazyGroup, package=__package__, sections=SECTIONS, modules=MODULES)
def cluster() -> None:
    """Run a real Temporal cluster: a process for each role, on PostgreSQL or Cassandra."""
