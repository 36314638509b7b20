"""Watches a run from outside: the runbook's history and the server's log, across outages."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from pathlib import Path

from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.api.workflowservice.v1 import GetWorkflowExecutionHistoryRequest
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

AGAIN_SECONDS = 0.02
LOG_SECONDS = 0.02
POLL = timedelta(seconds=30)

CLOSING = {
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED: "completed",
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED: "failed",
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TIMED_OUT: "timed out",
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED: "canceled",
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED: "terminated",
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW: "continued as new",
}


def type_of(event: HistoryEvent) -> str:
    """An event's type as people write it: `TimerStarted`."""
    name = EventType.Name(event.event_type)
    return "".join(part.capitalize() for part in name.removeprefix("EVENT_TYPE_").split("_"))


def next_run(event: HistoryEvent) -> str:
    """The run that an ended run goes on as: continued as new, retried, or by its cron schedule; empty where none is."""
    attributes = event.WhichOneof("attributes")
    return str(getattr(getattr(event, attributes), "new_execution_run_id", "")) if attributes else ""


class HistoryWatch:
    """Follows a workflow through all its runs; tells of each event once, in order, and of its status in the end."""

    def __init__(self, client: Client, workflow_id: str, run_id: str) -> None:
        self._client = client
        self._id = workflow_id
        self.run_ids = [run_id]
        self.status = "running"

    async def follow(self, told: Callable[[HistoryEvent], Awaitable[None]]) -> None:
        """Until the last run has ended."""
        while True:
            last = await self._follow_run(self.run_ids[-1], told)
            self.status = CLOSING[last.event_type]
            if not next_run(last):
                return
            self.status = "running"
            self.run_ids.append(next_run(last))

    async def _follow_run(self, run_id: str, told: Callable[[HistoryEvent], Awaitable[None]]) -> HistoryEvent:
        seen = 0
        while True:
            async for event in self._events(run_id):
                if event.event_id <= seen:
                    continue
                seen = event.event_id
                await told(event)
                if event.event_type in CLOSING:
                    return event
            await asyncio.sleep(AGAIN_SECONDS)

    async def _events(self, run_id: str) -> AsyncIterator[HistoryEvent]:
        """A run's events from the first on, until it has ended or the server does not answer."""
        request = GetWorkflowExecutionHistoryRequest(
            namespace=self._client.namespace,
            execution=WorkflowExecution(workflow_id=self._id, run_id=run_id),
            wait_new_event=True,
        )
        while True:
            try:
                call = self._client.workflow_service.get_workflow_execution_history
                answer = await call(request, retry=False, timeout=POLL)
            except RPCError as error:
                if error.status != RPCStatusCode.DEADLINE_EXCEEDED:
                    return
                continue
            for event in answer.history.events:
                yield event
            if not answer.next_page_token:
                return
            request.next_page_token = answer.next_page_token


async def log_lines(log: Path) -> AsyncIterator[str]:
    """Lines that are written to a log from now on."""
    with log.open(errors="replace") as file:
        file.seek(0, 2)
        half = ""
        while True:
            line = half + file.readline()
            if line.endswith("\n"):
                half = ""
                yield line.rstrip("\n")
            else:
                half = line
                await asyncio.sleep(LOG_SECONDS)
