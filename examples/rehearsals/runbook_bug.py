"""The runbook that scales a Cassandra ring up, with a bug: it adds a node again when the first answer got lost."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from temporalio import activity, workflow
from temporalio.common import RetryPolicy

from devserver.rehearsal import ledger

with workflow.unsafe.imports_passed_through():
    from ring import Ring


@dataclass
class ScaleUp:
    """Which nodes are added."""

    nodes: list[str]


@activity.defn
def add_node(node: str) -> None:
    """Have a node join the ring."""
    Ring.of_rehearsal().join(node)  # the bug: it may have joined already
    ledger.effect("add_node", key=node)


@activity.defn
def ring_size() -> int:
    """How many parts the ring has."""
    return len(Ring.of_rehearsal().tokens)


@workflow.defn
class ScaleUpRing:
    """Add nodes one after the other, as a ring wants it."""

    @workflow.run
    async def run(self, wanted: ScaleUp) -> int:
        """The size of the ring in the end."""
        limit = timedelta(seconds=1)
        soon = RetryPolicy(initial_interval=timedelta(milliseconds=100))
        for node in wanted.nodes:
            await workflow.execute_activity(add_node, node, start_to_close_timeout=limit, retry_policy=soon)
        return await workflow.execute_activity(ring_size, start_to_close_timeout=limit, retry_policy=soon)
