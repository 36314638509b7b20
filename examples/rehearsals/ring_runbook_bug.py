"""The runbook that scales a Cassandra ring up: add nodes one after the other; when it is stopped, take them back.

It is written as for earnest. `ledger.effect` notes what was really done; where no rehearsal runs it does nothing.
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
    """Which nodes are added."""

    nodes: list[str]


@activity.defn
def add_node(node: str) -> None:
    """Have a node join the ring."""
    ring = Ring.here()
    ring.join(node)
    ledger.effect("add_node", key=node)


@activity.defn
def remove_node(node: str) -> None:
    """Have a node leave the ring."""
    ring = Ring.here()
    if node in ring.nodes:
        ring.leave(node)
        ledger.effect("remove_node", key=node)


@activity.defn
def ring_size() -> int:
    """How many parts the ring has."""
    return len(Ring.here().nodes)


@workflow.defn
class ScaleUpRing:
    """Add nodes one after the other, as a ring wants it."""

    @workflow.run
    async def run(self, wanted: ScaleUp) -> int:
        """The size of the ring in the end."""
        added: list[str] = []
        for node in wanted.nodes:
            added.append(node)
            joining = asyncio.create_task(do(add_node, node))
            try:
                await asyncio.shield(joining)
            except asyncio.CancelledError:  # somebody stops us
                await joining  # a node that is about to join cannot be removed
                for each in reversed(added):
                    await do(remove_node, each)
                raise
        return await do(ring_size)


async def do(what: Callable[..., T], *args: Any) -> T:
    """Have an activity done. The ring is simulated, so a second is a long time, and it is tried again soon."""
    result: T = await workflow.execute_activity(
        what,
        args=args,
        start_to_close_timeout=timedelta(seconds=1),
        retry_policy=RetryPolicy(initial_interval=timedelta(milliseconds=100)),
    )
    return result
