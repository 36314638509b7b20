"""A runbook that an operator can pause, stop and change, and others with mistakes in that."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import timedelta

from temporalio import activity, workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError, ApplicationError
from temporalio.workflow import ParentClosePolicy

from devserver.rehearsal import ledger

LIMIT = timedelta(seconds=2)
CANCELLED = (asyncio.CancelledError, ActivityError)  # the SDK may raise either
SOON = RetryPolicy(initial_interval=timedelta(milliseconds=50), backoff_coefficient=1)


@dataclass
class Size:
    """The size of the ring."""

    now: int
    wanted: int


@activity.defn
async def add(node: str) -> None:
    """Add a node."""
    ledger.effect("add", key=node)


@activity.defn
async def remove(node: str) -> None:
    """Remove a node."""
    ledger.effect("remove", key=node)


@activity.defn
async def broken() -> None:
    """Always fail."""
    raise ApplicationError("the disk is gone", type="DiskGone")


async def _add(node: str) -> None:
    await workflow.execute_activity(add, node, start_to_close_timeout=LIMIT, retry_policy=SOON)


@workflow.defn
class Tended:
    """Add nodes up to a target that may change; remove them on cancellation."""

    def __init__(self) -> None:
        self.target = 3
        self.nodes: list[str] = []

    @workflow.run
    async def run(self) -> list[str]:
        """Return the added nodes."""
        try:
            while len(self.nodes) < self.target:
                node = f"node-{len(self.nodes) + 1}"
                await _add(node)
                self.nodes.append(node)
        except CANCELLED:
            for node in reversed(self.nodes):
                await workflow.execute_activity(remove, node, start_to_close_timeout=LIMIT)
            raise
        return self.nodes

    @workflow.signal
    def grow(self, target: int) -> None:
        """Change the target."""
        self.target = target

    @workflow.update
    def set_target(self, target: int) -> int:
        """Change the target; return the one before."""
        before, self.target = self.target, target
        return before

    @set_target.validator
    def check_target(self, target: int) -> None:
        """Reject a target that is too small."""
        if target < 1:
            raise ValueError("a ring has nodes")

    @workflow.query
    def size(self) -> Size:
        """Return the current and the target size."""
        return Size(len(self.nodes), self.target)

    @workflow.query
    def added(self) -> list[str]:
        """Return the nodes so far."""
        return self.nodes


@workflow.defn
class Deaf:
    """Ignore the cancellation."""

    @workflow.run
    async def run(self) -> str:
        """Return that it is done."""
        for number in range(1, 4):
            try:
                await _add(f"node-{number}")
            except CANCELLED:
                continue
        return "done"


@workflow.defn
class Child:
    """Add nodes, with pauses."""

    @workflow.run
    async def run(self) -> None:
        """Add four nodes."""
        for number in range(1, 5):
            await _add(f"node-{number}")
            await workflow.sleep(0.2)


@workflow.defn
class Delegating:
    """Leave the work to a child that outlives the parent."""

    @workflow.run
    async def run(self) -> None:
        """Wait for the child."""
        await workflow.execute_child_workflow(Child.run, parent_close_policy=ParentClosePolicy.ABANDON)


@workflow.defn
class Choking:
    """A signal handler with a bug, which fails the workflow task."""

    @workflow.run
    async def run(self) -> None:
        """Add one node."""
        await _add("node-1")
        await workflow.wait_condition(lambda: False)

    @workflow.signal
    def grow(self, target: int) -> None:
        """Raise an error."""
        raise RuntimeError(f"cannot grow to {target}")


@workflow.defn
class Abrupt:
    """Complete while a signal is still being handled."""

    @workflow.run
    async def run(self) -> None:
        """Add one node."""
        await _add("node-1")

    @workflow.signal(unfinished_policy=workflow.HandlerUnfinishedPolicy.ABANDON)
    async def grow(self, target: int) -> None:
        """Add nodes, if there is time."""
        await workflow.sleep(60)


@workflow.defn
class Hopeless:
    """Retry forever."""

    @workflow.run
    async def run(self) -> None:
        """Never ends."""
        await workflow.execute_activity(broken, start_to_close_timeout=LIMIT, retry_policy=SOON)


@workflow.defn
class Failing:
    """Fail at once."""

    @workflow.run
    async def run(self) -> None:
        """Fail."""
        once = RetryPolicy(maximum_attempts=1)
        await workflow.execute_activity(broken, start_to_close_timeout=LIMIT, retry_policy=once)


@workflow.defn
class Chained:
    """Continue as new after each node."""

    def __init__(self) -> None:
        self.grown = 0

    @workflow.run
    async def run(self, number: int) -> int:
        """Return the last node's number."""
        await _add(f"node-{number}")
        if number < 3:
            workflow.continue_as_new(number + 1)
        return number

    @workflow.signal
    def grow(self, target: int) -> None:
        """Ignore the signal."""
        self.grown = target
