"""Every workflow run of a test: what was started, what the server lists, and the runs that these led to."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass

from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent, WorkflowExecutionStartedEventAttributes
from temporalio.client import Client, WorkflowHistory

from devserver.client import SDK, ServiceCalls

from .listing import list_workflows

MAX_CONCURRENT = 20


@dataclass(frozen=True)
class RunHistory:
    """One run of a workflow with its history, as far as it got."""

    history: WorkflowHistory
    run_id: str

    @property
    def id(self) -> str:
        """The workflow id, which later runs have too."""
        return self.history.workflow_id

    @property
    def workflow_type(self) -> str:
        """The name of the workflow type."""
        return self._start.workflow_type.name

    @property
    def task_queue(self) -> str:
        """The task queue it was started on."""
        return self._start.task_queue.name

    @property
    def build(self) -> str:
        """The build id of the worker that completed its last task; empty for a worker without a version."""
        builds = (
            event.workflow_task_completed_event_attributes.deployment_version.build_id
            for event in reversed(self.history.events)
            if event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED
        )
        return next(builds, "")

    @property
    def order(self) -> tuple[int, int, str]:
        """A sort key: the time of the start, then the id."""
        time = self.history.events[0].event_time
        return time.seconds, time.nanos, self.id

    @property
    def _start(self) -> WorkflowExecutionStartedEventAttributes:
        return self.history.events[0].workflow_execution_started_event_attributes


class _Finder:
    """Follows each run to the runs that it led to, so that nothing depends on a list that is not up to date yet."""

    def __init__(self, client: Client) -> None:
        self._namespace = client.namespace
        self._calls = ServiceCalls(client, max_concurrent=MAX_CONCURRENT, retries=SDK)
        self._seen: set[tuple[str, str]] = set()
        self._runs: dict[tuple[str, str], RunHistory] = {}

    async def follow(self, seeds: Iterable[tuple[str, str | None]]) -> list[RunHistory]:
        """The runs of `seeds`, as (workflow id, run id), and all that they led to, in the order of their start."""
        pending = {(workflow_id, run_id or "") for workflow_id, run_id in seeds}
        while pending:
            self._seen |= pending
            latest = {(workflow_id, "") for workflow_id, _ in pending} - self._seen
            self._seen |= latest
            links = await asyncio.gather(*(self._fetch(*run) for run in (*pending, *latest)))
            pending = {link for found in links for link in found} - self._seen
        return sorted(self._runs.values(), key=lambda run: run.order)

    async def _fetch(self, workflow_id: str, run_id: str) -> list[tuple[str, str]]:
        """Read a run; the runs that it led to. Without a run id: the current run, since no event leads to a reset."""
        if not run_id:
            description = await self._calls.describe_workflow(workflow_id)
            if description is None:
                return []
            return [(workflow_id, description.workflow_execution_info.execution.run_id)]
        events = await self._calls.history(workflow_id, run_id)
        if not events:
            return []
        self._runs[workflow_id, run_id] = RunHistory(WorkflowHistory(workflow_id, events), run_id)
        return [link for event in events for link in _links(workflow_id, self._namespace, event)]


async def find(client: Client, started: Iterable[tuple[str, str | None]]) -> list[RunHistory]:
    """Every run of what was started, of what the client lists, and of what these led to."""
    listed = [(info.execution.workflow_id, info.execution.run_id) async for info in list_workflows(client)]
    return await _Finder(client).follow([*started, *listed])


def _links(workflow_id: str, namespace: str, event: HistoryEvent) -> list[tuple[str, str]]:
    """The run that an event leads to: a child's first run, or the next run of the workflow."""
    if event.event_type == EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_STARTED:
        child = event.child_workflow_execution_started_event_attributes
        execution = child.workflow_execution
        return [(execution.workflow_id, execution.run_id)] if child.namespace in ("", namespace) else []
    attributes = getattr(event, event.WhichOneof("attributes") or "", None)
    next_run = getattr(attributes, "new_execution_run_id", "")
    return [(workflow_id, next_run)] if next_run else []
