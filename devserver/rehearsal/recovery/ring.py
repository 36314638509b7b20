"""Activities that look at a ring of Cassandra and change it.

What they have started continues when the runbook's worker dies; a retry waits for the same work instead of beginning it
again. They heartbeat every second.
"""

from __future__ import annotations

import asyncio
from typing import Any

from temporalio import activity
from temporalio.exceptions import ApplicationError

from .access import ask

JOIN_SECONDS = 600.0
LEAVE_SECONDS = 600.0
POLL_SECONDS = 1.0
NORMAL = "normal"
REFUSED = "RingRefused"


@activity.defn
async def ring_state(seen_by: str = "") -> dict[str, str]:
    """The nodes in the ring by name, as one of them sees it: `normal`, `joining`, `leaving`, `moving` or `down`.

    `down`: that node does not reach it, which it finds out within about 20 seconds. A node that has left is not listed,
    also where its process runs on. It reads (nodetool takes some seconds of CPU time), so it may run any number of
    times.

    Args:
        seen_by: The node that is asked, such as `node-2`; the first that runs if empty.

    Raises:
        ApplicationError: There is no such node (not retryable), no node runs, or the node does not answer.
    """
    found = await ask("ring", member=seen_by)
    return {entry["name"]: entry["state"] if entry["up"] else "down" for entry in found["ring"]}


@activity.defn
async def add_node(node: str) -> None:
    """Start a new node; returns when it has joined the ring, has its data and serves, within 600 seconds.

    Idempotent, because the caller names the node: one that is in the cluster is started if it does not run. The roles
    get it as a contact point at their next start; a driver that runs finds it by itself.

    Args:
        node: The name of the new node, such as `node-4`.

    Raises:
        ApplicationError: It is not a name of a node (`OptionError`, not retryable), or it does not join in time.
    """
    await ask("add-node", member=node, limit=JOIN_SECONDS)


@activity.defn
async def wait_for_node(node: str, seen_by: str = "") -> None:
    """Wait until a node is `normal` in the ring, as another one sees it. The activity's timeout is its only limit.

    It reads, so it may run any number of times.

    Args:
        node: The node to wait for.
        seen_by: The node that is asked; the first that runs if empty.

    Raises:
        ApplicationError: The ring cannot be asked.
    """
    while (await ring_state(seen_by)).get(node) != NORMAL:
        await asyncio.sleep(POLL_SECONDS)


@activity.defn
async def decommission_node(node: str, force: bool = False) -> None:
    """Have a node hand over its data and leave the ring; returns when it has left, within 600 seconds.

    Idempotent: a node that has left is left alone. Its process keeps running, and answers: see `delete_node`.

    Args:
        node: The node.
        force: Leave although fewer nodes are left than the replication factor: then rows have fewer copies.

    Raises:
        ApplicationError: Cassandra refuses (`RingRefused`, not retryable), for example because too few nodes would be
            left; or it takes too long.
    """
    await _once("decommission", member=node, force=force, limit=LEAVE_SECONDS)


@activity.defn
async def remove_node(node: str) -> None:
    """Take a node out of the ring that is dead or cannot be reached; returns when it is out, within 600 seconds.

    The other nodes copy what they need from each other. Idempotent: a node that is out is left alone.

    Args:
        node: The node.

    Raises:
        ApplicationError: Cassandra refuses (`RingRefused`), for example because it still reaches the node; retryable,
            since it takes up to 20 seconds until a node counts as down.
    """
    await ask("remove-node", member=node, limit=LEAVE_SECONDS)


@activity.defn
async def delete_node(node: str) -> None:
    """End a node that is out of the ring (SIGKILL), remove its data, and forget it as a contact point of the roles.

    Until then the process of a decommissioned node keeps running. Idempotent: a node that is gone is no error.

    Args:
        node: The node.

    Raises:
        ApplicationError: It is in the ring still (`RingRefused`, not retryable).
    """
    try:
        await _once("delete-node", member=node)
    except ApplicationError as error:
        if error.type != "MemberUnknown":
            raise


async def _once(kind: str, **facts: Any) -> None:
    """Ask for something that Cassandra refuses for good."""
    try:
        await ask(kind, **facts)
    except ApplicationError as error:
        if error.type != REFUSED:
            raise
        raise ApplicationError(error.message, type=REFUSED, non_retryable=True) from None
