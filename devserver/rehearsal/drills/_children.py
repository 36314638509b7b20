"""The runbook's child workflows that outlive it."""

from __future__ import annotations

import asyncio
import time

from temporalio.api.enums.v1 import ParentClosePolicy
from temporalio.api.history.v1 import HistoryEvent

from ..errors import FaultImpossible
from ._operator import OPEN, POLL_SECONDS, Operator

CLOSE_SECONDS = 2.0  # the server ends children a moment after their parent


async def left_open(operator: Operator) -> list[str]:
    """The ids of children that go on when the runbook has just ended: because they may, or after some time still do."""
    until = time.monotonic() + CLOSE_SECONDS
    events = [event for history in await operator.histories() for event in history.events]
    children = {child: may for event in events for child, may in _child(event)}
    left = [child for child in children if await _open(operator, child)]
    free = [child for child in left if children[child]]
    while left and not free and time.monotonic() < until:
        await asyncio.sleep(POLL_SECONDS)
        left = [child for child in left if await _open(operator, child)]
    return free or left


def _child(event: HistoryEvent) -> list[tuple[str, bool]]:
    """The child that the event tells of, and whether it may outlive the runbook."""
    if not event.HasField("start_child_workflow_execution_initiated_event_attributes"):
        return []
    child = event.start_child_workflow_execution_initiated_event_attributes
    return [(child.workflow_id, child.parent_close_policy == ParentClosePolicy.PARENT_CLOSE_POLICY_ABANDON)]


async def _open(operator: Operator, child: str) -> bool:
    try:
        return await operator.status(child) in OPEN
    except FaultImpossible:
        return False  # it was never started
