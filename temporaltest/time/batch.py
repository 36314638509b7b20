"""Moving the clocks of many workflows at once, as `temporal_env.sleep` does, within the limit of a wait."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, TypeVar

from temporalio.api.workflowservice.v1 import DescribeWorkflowExecutionResponse
from temporalio.service import RPCError

from devserver.client import VirtualClock

from ..errors import ClockStuck, WaitTimeout
from . import diagnostics

if TYPE_CHECKING:
    from ..isolation.context import CaseContext

T = TypeVar("T")

POLL_SECONDS = 0.2


async def move_all(case: CaseContext, clocks: Sequence[VirtualClock], by: timedelta) -> None:
    """Move the clocks of open workflows ahead.

    Raises:
        ClockStuck: A clock did not move; the message says what held it.
    """
    await bounded(case, clocks, by, _move_all(clocks, by))


async def bounded(case: CaseContext, clocks: Sequence[VirtualClock], by: object, work: Awaitable[T]) -> T:
    """The result of `work`, which moves `clocks`.

    Raises:
        ClockStuck: It did not end within the limit of a wait; the message says what blocks each clock.
    """
    try:
        return await case.guard.wait(work, f"clocks to move by {by}")
    except WaitTimeout as error:
        lines = [f"the clock of {name} did not move by {by}: {reason}" for name, reason in await _held(case, clocks)]
        raise ClockStuck("\n".join([*lines, str(error)])) from None


async def _held(case: CaseContext, clocks: Sequence[VirtualClock]) -> list[tuple[str, str]]:
    held = []
    for clock in clocks:
        with contextlib.suppress(RPCError):
            description = await clock.describe()
            if _is_busy(description) or description.pending_children:
                held.append((clock.workflow_id, await diagnostics.holders(case.client, clock, case.workers)))
    return held


async def _move_all(clocks: Sequence[VirtualClock], by: timedelta) -> None:
    tasks = {asyncio.ensure_future(_move(clock, by)): clock for clock in clocks}
    moved = frozenset(clock.workflow_id for clock in clocks)
    pending = set(tasks)
    try:
        while pending:
            done, pending = await asyncio.wait(pending, timeout=POLL_SECONDS)
            for task in done:
                task.result()
            # An open child holds its parent's clock. When only parents of children that have moved are left, their
            # clocks move by themselves as soon as those children end.
            if not done and all([await _waits_for(tasks[task], moved) for task in pending]):
                return
    finally:
        for task in tasks:
            task.cancel()


async def _move(clock: VirtualClock, by: timedelta) -> None:
    """Move one clock, but not its children's; a workflow that has ended has no clock to move."""
    with contextlib.suppress(RPCError):
        await clock.wait_moved(await clock.begin_move(by))


async def _waits_for(clock: VirtualClock, moved: frozenset[str]) -> bool:
    """Whether only open children, whose clocks are moved too, hold a workflow's clock."""
    description = await clock.describe()
    children = {child.workflow_id for child in description.pending_children}
    return bool(children) and children <= moved and not _is_busy(description)


def _is_busy(description: DescribeWorkflowExecutionResponse) -> bool:
    return bool(
        description.HasField("pending_workflow_task")
        or description.pending_activities
        or description.pending_nexus_operations
    )
