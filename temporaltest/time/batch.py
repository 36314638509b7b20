"""Moving the clocks of many workflows at once, as `temporal_env.sleep` does, within the limit of a wait."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Iterable, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from temporalio.api.workflowservice.v1 import DescribeWorkflowExecutionResponse
from temporalio.client import WorkflowHandle
from temporalio.service import RPCError

from ..errors import ClockStuck, WaitTimeout
from . import diagnostics

if TYPE_CHECKING:
    from ..isolation.context import CaseContext
    from .time_skipping import VirtualClocks

T = TypeVar("T")
Handle = WorkflowHandle[Any, Any]

LOOK_SECONDS = 0.2


async def move_all(case: CaseContext, skipping: VirtualClocks, handles: Sequence[Handle], by: timedelta) -> None:
    """Move the clock of every workflow that is open ahead.

    Raises:
        ClockStuck: One did not move; says what held it.
    """
    await bounded(case, handles, by, _all(skipping, handles, by))


async def bounded(case: CaseContext, handles: Sequence[Handle], by: object, work: Awaitable[T]) -> T:
    """The result of `work`, which moves the clocks of `handles`.

    Raises:
        ClockStuck: It did not end within the limit of a wait; says what holds each clock.
    """
    try:
        return await case.guard.wait(work, f"clocks to move by {by}")
    except WaitTimeout as error:
        held = [f"the clock of {each.id} did not move by {by}: {why}" for each, why in await _held(case, handles)]
        raise ClockStuck("\n".join([*held, str(error)])) from None


async def _held(case: CaseContext, handles: Iterable[Handle]) -> list[tuple[Handle, str]]:
    found = []
    for each in handles:
        with contextlib.suppress(RPCError):
            raw = (await each.describe()).raw_description
            if _is_busy(raw) or raw.pending_children:
                found.append((each, await diagnostics.holders(case.client, each)))
    return found


async def _all(skipping: VirtualClocks, handles: Sequence[Handle], by: timedelta) -> None:
    tasks = {asyncio.ensure_future(_move(skipping, each, by)): each for each in handles}
    moved = frozenset(each.id for each in handles)
    pending = set(tasks)
    try:
        while pending:
            done, pending = await asyncio.wait(pending, timeout=LOOK_SECONDS)
            for each in done:
                each.result()
            # An open child holds its parent's clock. When all that is left are parents of children that have moved,
            # theirs go on by themselves when those children have ended.
            if not done and all([await _waits_for(tasks[each], moved) for each in pending]):
                return
    finally:
        for each in tasks:
            each.cancel()


async def _move(skipping: VirtualClocks, handle: Handle, by: timedelta) -> None:
    """A workflow that has ended has no clock to move."""
    with contextlib.suppress(RPCError):
        await skipping.arrived(handle, await skipping.begin(handle, by))


async def _waits_for(handle: Handle, moved: frozenset[str]) -> bool:
    """Whether nothing but open children, whose clocks are moved too, holds a workflow's clock."""
    raw = (await handle.describe()).raw_description
    children = {each.workflow_id for each in raw.pending_children}
    return bool(children) and children <= moved and not _is_busy(raw)


def _is_busy(raw: DescribeWorkflowExecutionResponse) -> bool:
    return bool(raw.HasField("pending_workflow_task") or raw.pending_activities or raw.pending_nexus_operations)
