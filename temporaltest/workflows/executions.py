"""Every workflow that ran in a test: what was started, what lists show, and what these led to."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass

from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent, WorkflowExecutionStartedEventAttributes
from temporalio.api.workflowservice.v1 import DescribeWorkflowExecutionRequest
from temporalio.client import Client, WorkflowHistory
from temporalio.service import RPCError, RPCStatusCode

from .listing import list_workflows

AT_ONCE = 20


@dataclass(frozen=True)
class RunHistory:
    """One run of a workflow, as far as it came."""

    history: WorkflowHistory
    run_id: str

    @property
    def id(self) -> str:
        """The workflow's id, which later runs of it have too."""
        return self.history.workflow_id

    @property
    def workflow_type(self) -> str:
        """The name of the workflow's type."""
        return self._start.workflow_type.name

    @property
    def task_queue(self) -> str:
        """The task queue it was started on."""
        return self._start.task_queue.name

    @property
    def build(self) -> str:
        """The build of the worker that did its last task; empty for one without a version."""
        done = (
            event.workflow_task_completed_event_attributes.deployment_version.build_id
            for event in reversed(self.history.events)
            if event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED
        )
        return next(done, "")

    @property
    def order(self) -> tuple[int, int, str]:
        """Sorts runs by the time they began."""
        time = self.history.events[0].event_time
        return time.seconds, time.nanos, self.id

    @property
    def _start(self) -> WorkflowExecutionStartedEventAttributes:
        return self.history.events[0].workflow_execution_started_event_attributes


class _Finder:
    """Follows each run to the runs that it led to, so that nothing waits for a list to be up to date."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._limit = asyncio.Semaphore(AT_ONCE)
        self._seen: set[tuple[str, str]] = set()
        self._found: dict[tuple[str, str], RunHistory] = {}

    async def follow(self, seeds: Iterable[tuple[str, str | None]]) -> list[RunHistory]:
        """The runs of `seeds` and all that they led to, the first first."""
        todo = {(workflow_id, run_id or "") for workflow_id, run_id in seeds}
        while todo:
            self._seen |= todo
            latest = {(workflow_id, "") for workflow_id, _ in todo} - self._seen
            self._seen |= latest
            found = await asyncio.gather(*(self._fetch(*each) for each in (*todo, *latest)))
            todo = {each for runs in found for each in runs} - self._seen
        return sorted(self._found.values(), key=lambda ran: ran.order)

    async def _fetch(self, workflow_id: str, run_id: str) -> list[tuple[str, str]]:
        async with self._limit:
            try:
                if not run_id:
                    return await self._latest(workflow_id)
                history = await self._client.get_workflow_handle(workflow_id, run_id=run_id).fetch_history()
            except RPCError as error:
                if error.status == RPCStatusCode.NOT_FOUND:
                    return []
                raise
        if history.events:
            self._found[workflow_id, run_id] = RunHistory(history, run_id)
        return [link for event in history.events for link in _links(workflow_id, self._client.namespace, event)]

    async def _latest(self, workflow_id: str) -> list[tuple[str, str]]:
        """A reset makes a run that no event leads to."""
        execution = WorkflowExecution(workflow_id=workflow_id)
        request = DescribeWorkflowExecutionRequest(namespace=self._client.namespace, execution=execution)
        answer = await self._client.workflow_service.describe_workflow_execution(request)
        return [(workflow_id, answer.workflow_execution_info.execution.run_id)]


async def find(client: Client, started: Iterable[tuple[str, str | None]]) -> list[RunHistory]:
    """Every run of what was started, of all that the client's lists show, and of what these led to."""
    shown = [(each.execution.workflow_id, each.execution.run_id) async for each in list_workflows(client)]
    return await _Finder(client).follow([*started, *shown])


def _links(workflow_id: str, namespace: str, event: HistoryEvent) -> list[tuple[str, str]]:
    attributes = getattr(event, event.WhichOneof("attributes") or "", None)
    if event.event_type == EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_STARTED:
        child = event.child_workflow_execution_started_event_attributes
        execution = child.workflow_execution
        return [(execution.workflow_id, execution.run_id)] if child.namespace in ("", namespace) else []
    later = getattr(attributes, "new_execution_run_id", "")
    return [(workflow_id, later)] if later else []
