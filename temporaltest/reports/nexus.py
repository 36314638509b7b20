"""Nexus operations of a workflow: what they wait for, and an endpoint that no worker serves."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable

from temporalio.api.enums.v1 import EventType, PendingNexusOperationState
from temporalio.api.history.v1 import HistoryEvent
from temporalio.api.workflowservice.v1 import DescribeWorkflowExecutionResponse
from temporalio.client import Client
from temporalio.service import RPCError

from devserver.errors import CannotAsk

from ..workers.pollers import Pollers
from ..workers.workers import Workers

STATE = "PENDING_NEXUS_OPERATION_STATE_"


async def nexus_lines(
    client: Client, state: DescribeWorkflowExecutionResponse, events: Iterable[HistoryEvent]
) -> list[str]:
    """A line for each pending operation, and one for each endpoint without a worker of which one waits or timed out."""
    lines, endpoints = [], {}
    scheduled = {e.event_id: e.nexus_operation_scheduled_event_attributes.endpoint for e in events}
    for operation in state.pending_nexus_operations:
        status = PendingNexusOperationState.Name(operation.state).removeprefix(STATE).lower().replace("_", " ")
        name = f"{operation.service}.{operation.operation}"
        lines.append(f"Nexus operation {name} pending: {status}, attempt {operation.attempt}")
        if not operation.operation_token:
            endpoints[operation.endpoint] = True
    for event in events:
        if event.event_type == EventType.EVENT_TYPE_NEXUS_OPERATION_TIMED_OUT:
            number = event.nexus_operation_timed_out_event_attributes.scheduled_event_id
            endpoints[scheduled.get(number, "")] = True
    for endpoint in filter(None, endpoints):
        with contextlib.suppress(CannotAsk, RPCError):
            lines += filter(None, [await Pollers(client, Workers()).unserved(endpoint)])
    return lines
