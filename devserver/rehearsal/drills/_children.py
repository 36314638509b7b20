"""The runbook's child workflows that outlive it."""

from __future__ import annotations

import asyncio
import time

from temporalio.api.history.v1 import HistoryEvent

from ..errors import FaultImpossible
from ._operator import OPEN, POLL_SECONDS, Operator

CLOSE_SECONDS = 2.0  # the server ends children a moment after their parent


async def left_open(operator: Operator) -> list[str]:
    """The ids of children that still run some time after the runbook has ended."""
    until = time.monotonic() + CLOSE_SECONDS
    left = list(dict.fromkeys(_child(event) for history in await operator.histories() for event in history.events))
    while left := [child for child in left if child and await _open(operator, child)]:
        if time.monotonic() > until:
            break
        await asyncio.sleep(POLL_SECONDS)
    return left


def _child(event: HistoryEvent) -> str:
    return event.child_workflow_execution_started_event_attributes.workflow_execution.workflow_id


async def _open(operator: Operator, child: str) -> bool:
    try:
        return await operator.status(child) in OPEN
    except FaultImpossible:
        return False
