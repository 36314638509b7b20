"""Skipping time while a test waits for an update: the clock goes from one due timer to the next, and no further."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from temporalio.api.history.v1 import HistoryEvent
from temporalio.api.workflowservice.v1 import DescribeWorkflowExecutionResponse
from temporalio.service import RPCError

from devserver.client import ServiceCalls, clock_state, to_datetime
from devserver.errors import CannotAsk, ClockMoveReplaced
from devserver.history import open_steps, open_timers

from ..workers.awaited import Awaited

if TYPE_CHECKING:
    from .virtual_clocks import VirtualClocks

POLL_SECONDS = 0.05


class Stepping:
    """Moves the clock of a workflow, and those of its children, while an update of it runs.

    The server would skip on as soon as the update is complete, past what the test does next.
    """

    def __init__(self, clocks: VirtualClocks) -> None:
        self._clocks = clocks
        self._calls = ServiceCalls(clocks.client)

    async def run(self, target: Awaited) -> None:
        """Step until the update is complete."""
        while self._clocks.enabled:
            with contextlib.suppress(RPCError, CannotAsk, ClockMoveReplaced):
                if await self._step(target.workflow_id, target.update_id):
                    continue
            await asyncio.sleep(POLL_SECONDS)

    async def _step(self, workflow_id: str, update_id: str | None = None) -> bool:
        """Move a clock to what is due next, if nothing is in flight; whether it has moved."""
        state = await self._calls.describe_workflow(workflow_id)
        if state is None or _in_flight(state):
            return False
        events = await self._calls.history(workflow_id, state.workflow_execution_info.execution.run_id) or []
        if len(events) != state.workflow_execution_info.history_length:  # it went on meanwhile
            return False
        if update_id is not None and not _runs(events, update_id):
            return False
        children = open_steps(events, "child").values()
        if children:
            ids = [child.start_child_workflow_execution_initiated_event_attributes.workflow_id for child in children]
            return any([await self._step(child_id) for child_id in ids])
        clock, due = clock_state(state), min(_due(state, events), default=None)
        if due is None or clock is None or clock.automatic or open_steps(events, "signal_out", "cancel_out"):
            return False
        mover = self._clocks.of(workflow_id)
        return await mover.wait_moved(await mover.begin_move(max(due - clock.now, timedelta(0))))


def _in_flight(state: DescribeWorkflowExecutionResponse) -> bool:
    """Whether the workflow may make progress before any timer fires."""
    running = [one for one in state.pending_activities if not one.HasField("next_attempt_schedule_time")]
    return bool(state.HasField("pending_workflow_task") or running or state.pending_nexus_operations)


def _due(state: DescribeWorkflowExecutionResponse, events: list[HistoryEvent]) -> Iterator[datetime]:
    """When timers fire and activities are retried."""
    began = {event.event_id: event.event_time for event in events}
    for number, timer in open_timers(events).items():
        yield to_datetime(began[number]) + timer.start_to_fire_timeout.ToTimedelta()
    for activity in state.pending_activities:
        if activity.HasField("next_attempt_schedule_time"):
            yield to_datetime(activity.next_attempt_schedule_time)


def _runs(events: list[HistoryEvent], update_id: str) -> bool:
    """Whether the workflow has accepted an update and not completed it. Before, the server does not show its task."""
    accepted = {e.workflow_execution_update_accepted_event_attributes.protocol_instance_id for e in events}
    completed = {e.workflow_execution_update_completed_event_attributes.meta.update_id for e in events}
    return update_id in accepted - completed
