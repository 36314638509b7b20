"""The operator of drills: calls that are repeated while the server is down, and reads of the workflow."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar
from uuid import uuid4

from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import ParentClosePolicy
from temporalio.api.enums.v1 import WorkflowExecutionStatus as Status
from temporalio.api.history.v1 import HistoryEvent
from temporalio.api.workflowservice.v1 import (
    DescribeWorkflowExecutionResponse,
    RequestCancelWorkflowExecutionRequest,
    TerminateWorkflowExecutionRequest,
)
from temporalio.client import WorkflowHistory
from temporalio.service import RPCError, RPCStatusCode

from ...client import OPEN_STATUSES, PAUSED, ServiceCalls, status_name, through_outage
from ...errors import CannotAsk
from ..environment.run_context import RunContext
from ..errors import FaultImpossible

T = TypeVar("T")

ANSWER_SECONDS = 10.0
CLOSE_SECONDS = 2.0  # the server ends children shortly after their parent
POLL_SECONDS = 0.05
DOWN = (RPCStatusCode.UNAVAILABLE, RPCStatusCode.DEADLINE_EXCEEDED, RPCStatusCode.CANCELLED)
REASON = "a drill of the rehearsal"
ENDED = "the runbook ended before the drill could begin"


class DrillCalls(ServiceCalls):
    """Calls that are repeated while the server is down, and raise every other refusal as it is."""

    refusals = tuple(status for status in RPCStatusCode if status not in DOWN)


class Operator:
    """Acts on the runbook of a run, and repeats calls while the server does not answer."""

    def __init__(self, context: RunContext) -> None:
        self._context = context
        self._calls = DrillCalls(context.client, retries=through_outage(ANSWER_SECONDS, pause=POLL_SECONDS))
        self.namespace = context.client.namespace
        self.service = context.client.workflow_service

    async def call(self, method: Callable[..., Awaitable[T]], request: Any) -> T:
        """Make a call; returns its answer.

        Raises:
            FaultImpossible: The server refuses or does not answer in time, or the workflow has ended.
        """
        try:
            return await self._calls.call(method, request)
        except CannotAsk as error:
            raise FaultImpossible(error.message) from None
        except RPCError as error:
            ended = error.status == RPCStatusCode.NOT_FOUND
            raise FaultImpossible(ENDED if ended else f"the server refuses: {error.message}") from None

    async def describe(self, workflow_id: str | None = None) -> DescribeWorkflowExecutionResponse:
        """The current run of the runbook, or of another workflow.

        Raises:
            FaultImpossible: The server does not answer in time, or does not know the workflow.
        """
        try:
            description = await self._calls.describe_workflow(workflow_id or self._context.workflow_id)
        except CannotAsk as error:
            raise FaultImpossible(error.message) from None
        if description is None:
            raise FaultImpossible(ENDED)
        return description

    async def status(self, workflow_id: str | None = None) -> Status.ValueType:
        """The status of the current run, also `paused`, which the SDK does not know."""
        return (await self.describe(workflow_id)).workflow_execution_info.status

    async def closed(self, within: float) -> str | None:
        """Wait until the runbook has ended; returns its status, None if it did not end in time."""
        until = time.monotonic() + within
        while True:
            last = self._context.over.is_set() or time.monotonic() > until
            status = await self.status()
            if status not in OPEN_STATUSES and status != Status.WORKFLOW_EXECUTION_STATUS_CONTINUED_AS_NEW:
                return status_name(status).replace("_", " ")
            if last:
                return None
            await asyncio.sleep(POLL_SECONDS)

    async def still_open(self) -> str:
        """Why the runbook has not ended, as a clause; empty if unknown."""
        paused = await self.status() == PAUSED
        return ": it is paused, and gets the request when it is resumed" if paused else ""

    async def history(self, run_id: str | None = None) -> WorkflowHistory:
        """The history of a run (None: the current run).

        Raises:
            FaultImpossible: The server does not answer, or has lost the history.
        """
        handle = self._context.client.get_workflow_handle(self._context.workflow_id, run_id=run_id)
        try:
            return await handle.fetch_history()
        except RPCError as error:
            raise FaultImpossible(f"cannot read the history: {error.message}") from None

    async def histories(self) -> list[WorkflowHistory]:
        """The histories of all runs seen so far, in order."""
        events = self._context.timeline.of("event")
        runs = list(dict.fromkeys(str(mark.detail["run"]) for mark in events if "run" in mark.detail))
        return [await self.history(run) for run in runs]

    async def cancel(self) -> None:
        """Request the runbook's cancellation."""
        request = RequestCancelWorkflowExecutionRequest(
            namespace=self.namespace, workflow_execution=self._execution, reason=REASON, request_id=uuid4().hex
        )
        await self.call(self.service.request_cancel_workflow_execution, request)

    async def terminate(self) -> None:
        """Terminate the runbook."""
        request = TerminateWorkflowExecutionRequest(
            namespace=self.namespace, workflow_execution=self._execution, reason=REASON
        )
        await self.call(self.service.terminate_workflow_execution, request)

    @property
    def _execution(self) -> WorkflowExecution:
        return WorkflowExecution(workflow_id=self._context.workflow_id)


async def left_open(operator: Operator) -> list[str]:
    """Ids of child workflows that stay open after the runbook has ended, by their policy or against it."""
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
    """The child workflow that an event starts, and whether it may outlive the runbook."""
    if not event.HasField("start_child_workflow_execution_initiated_event_attributes"):
        return []
    child = event.start_child_workflow_execution_initiated_event_attributes
    return [(child.workflow_id, child.parent_close_policy == ParentClosePolicy.PARENT_CLOSE_POLICY_ABANDON)]


async def _open(operator: Operator, child: str) -> bool:
    try:
        return await operator.status(child) in OPEN_STATUSES
    except FaultImpossible:
        return False  # never started
