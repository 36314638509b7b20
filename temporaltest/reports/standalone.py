"""Activities and Nexus operations that no workflow started: those of a test, and what they wait for."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from temporalio.api.enums.v1 import ActivityExecutionStatus, NexusOperationExecutionStatus
from temporalio.api.workflowservice.v1 import (
    DescribeActivityExecutionRequest,
    DescribeNexusOperationExecutionRequest,
    ListActivityExecutionsRequest,
    ListNexusOperationExecutionsRequest,
)
from temporalio.client import Client
from temporalio.service import RPCError

from devserver.client import SDK, ServiceCalls
from devserver.errors import CannotAsk

from ..workflows.listing import narrowed
from .tracebacks import failure_lines

MAX_SHOWN = 20
ACTIVITY_STATUS = "ACTIVITY_EXECUTION_STATUS_"
OPERATION_STATUS = "NEXUS_OPERATION_EXECUTION_STATUS_"


@dataclass(frozen=True)
class StandaloneState:
    """One activity or Nexus operation, in texts for a person; `kind` is "activity" or "Nexus operation"."""

    kind: str
    id: str
    type: str
    status: str
    attempt: int
    failure: Sequence[str] = ()

    def lines(self) -> list[str]:
        """The activity or operation, and its failure indented."""
        head = f"  {self.kind} {self.id} ({self.type}): {self.status}, attempt {self.attempt}"
        return [head, *(f"    {line}" for line in self.failure)]


async def standalone(client: Client, *, only_open: bool = False) -> list[StandaloneState]:
    """The newest ones that the client lists, the oldest first; none where the server does not know any."""
    calls = ServiceCalls(client, retries=SDK)
    states: list[StandaloneState] = []
    for read in (_activities, _operations):
        with contextlib.suppress(CannotAsk, RPCError):
            states += await read(client, calls)
    return [state for state in states if not only_open or state.status == "running"]


async def _activities(client: Client, calls: ServiceCalls) -> list[StandaloneState]:
    query = narrowed(client)
    listing = ListActivityExecutionsRequest(namespace=client.namespace, page_size=MAX_SHOWN, query=query)
    found = await calls.call(client.workflow_service.list_activity_executions, listing)
    states = []
    for listed in reversed(found.executions):
        request = DescribeActivityExecutionRequest(
            namespace=client.namespace,
            activity_id=listed.activity_id,
            run_id=listed.run_id,
            include_outcome=True,
            include_last_failure=True,
        )
        answer = await calls.call(client.workflow_service.describe_activity_execution, request)
        info = answer.info
        ended = answer.outcome.HasField("failure")
        failure = answer.outcome.failure if ended else info.last_failure if info.HasField("last_failure") else None
        status = ActivityExecutionStatus.Name(info.status).removeprefix(ACTIVITY_STATUS).lower()
        lines = await _failure(client, failure, ended=ended)
        states.append(
            StandaloneState("activity", info.activity_id, info.activity_type.name, status, info.attempt, lines)
        )
    return states


async def _operations(client: Client, calls: ServiceCalls) -> list[StandaloneState]:
    if narrowed(client):
        return []  # they have no task queue, so those of other tests in the namespace cannot be told apart
    listing = ListNexusOperationExecutionsRequest(namespace=client.namespace, page_size=MAX_SHOWN)
    found = await calls.call(client.workflow_service.list_nexus_operation_executions, listing)
    states = []
    for listed in reversed(found.operations):
        request = DescribeNexusOperationExecutionRequest(
            namespace=client.namespace,
            operation_id=listed.operation_id,
            run_id=listed.run_id,
            include_outcome=True,
        )
        answer = await calls.call(client.workflow_service.describe_nexus_operation_execution, request)
        info = answer.info
        ended = answer.HasField("failure")
        failure = (
            answer.failure if ended else info.last_attempt_failure if info.HasField("last_attempt_failure") else None
        )
        status = NexusOperationExecutionStatus.Name(info.status).removeprefix(OPERATION_STATUS).lower()
        name = f"{info.service}.{info.operation}, endpoint {info.endpoint}"
        lines = await _failure(client, failure, ended=ended)
        states.append(StandaloneState("Nexus operation", info.operation_id, name, status, info.attempt, lines))
    return states


async def _failure(client: Client, failure: Any, *, ended: bool) -> list[str]:
    if failure is None:
        return []
    first, *rest = await failure_lines(failure, client.data_converter)
    return [first if ended else f"last failure: {first}", *rest]
