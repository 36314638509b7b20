"""The runbook that scales up a Cassandra ring: add nodes one after the other; when it is stopped, remove them again.

It is written like a production runbook. `ledger.effect` records side effects; outside a rehearsal it does nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar

from temporalio import activity, workflow
from temporalio.common import RetryPolicy

from devserver.rehearsal import ledger

with workflow.unsafe.imports_passed_through():
    from ring import Ring

T = TypeVar("T")


@dataclass
class ScaleUp:
    """The nodes to add."""

    nodes: list[str]


@activity.defn
def add_node(node: str) -> None:
    """Make a node join the ring."""
    ring = Ring.here()
    if node not in ring.nodes:  # an attempt whose result was lost may have added it
        ring.join(node)
        ledger.effect("add_node", key=node)


@activity.defn
def remove_node(node: str) -> None:
    """Make a node leave the ring."""
    ring = Ring.here()
    if node in ring.nodes:
        ring.leave(node)
        ledger.effect("remove_node", key=node)


@activity.defn
def ring_size() -> int:
    """Number of parts of the ring."""
    return len(Ring.here().nodes)


@workflow.defn
class ScaleUpRing:
    """Add nodes one after the other, as a ring requires."""

    @workflow.run
    async def run(self, wanted: ScaleUp) -> int:
        """The size of the ring at the end."""
        added: list[str] = []
        for node in wanted.nodes:
            added.append(node)
            joining = asyncio.create_task(do(add_node, node))
            try:
                await asyncio.shield(joining)
            except asyncio.CancelledError:  # the runbook is stopped
                await joining  # a node that is about to join cannot be removed
                for each in reversed(added):
                    await do(remove_node, each)
                raise
        return await do(ring_size)


async def do(what: Callable[..., T], *args: Any) -> T:
    """Run an activity. The ring is simulated, so timeouts and retries are short."""
    result: T = await workflow.execute_activity(
        what,
        args=args,
        start_to_close_timeout=timedelta(seconds=1),
        retry_policy=RetryPolicy(initial_interval=timedelta(milliseconds=100)),
    )
    return result
