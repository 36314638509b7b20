"""Mistakes that keep a workflow open for ever, although the server or a worker has already said so.

A workflow counts only if nothing else of it can go on: no other activity, timer, child or timeout ends before the wait.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from temporalio.api.activity.v1 import ActivityExecutionInfo
from temporalio.api.enums.v1 import ActivityExecutionStatus, EventType, WorkflowExecutionStatus
from temporalio.api.history.v1 import HistoryEvent
from temporalio.api.sdk.v1 import WorkflowMetadata
from temporalio.api.workflow.v1 import PendingActivityInfo, PendingNexusOperationInfo
from temporalio.api.workflowservice.v1 import DescribeActivityExecutionRequest, DescribeWorkflowExecutionResponse
from temporalio.client import Client
from temporalio.service import RPCError

from devserver.client import ServiceCalls, to_datetime
from devserver.errors import CannotAsk
from devserver.history import open_timers

from . import lasting_failures
from .awaited import Awaited
from .pollers import ACTIVITY, WORKFLOW, Pollers
from .workers import Workers

MAX_EVENTS = 2000
QUERY_TIMEOUT = timedelta(seconds=3)
RANDOM_ATTEMPTS = 2  # after fewer, code that decides at random may yet take the right way
RUNNING = WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_RUNNING


@dataclass(frozen=True)
class Mistake:
    """What keeps a workflow open; `heals` is set if a worker or a call that may still come would end that."""

    text: str
    heals: bool = False


class Mistakes:
    """Finds mistakes in what the server knows. `skips` says that workflows skip time, so every timeout is near."""

    def __init__(self, client: Callable[[], Client], workers: Workers, *, skips: bool) -> None:
        self._client = client
        self._workers = workers
        self._skips = skips

    async def find(self, target: Awaited, until: float) -> Mistake | None:
        """The mistake because of which `target` does not end before `until`, a time of `time.monotonic`."""
        search = _Search(self._client(), self._workers, until, skips=self._skips)
        with contextlib.suppress(CannotAsk, RPCError):
            if target.activity_id:
                return await search.standalone(target.activity_id, target.run_id or "")
            return await search.workflow(target)
        return None


class _Search:
    def __init__(self, client: Client, workers: Workers, until: float, *, skips: bool) -> None:
        self._client = client
        self._calls = ServiceCalls(client)
        self._workers = workers
        self._pollers = Pollers(client, workers)
        self._until = until
        self._skips = skips
        self._seen: set[str] = set()

    async def workflow(self, target: Awaited) -> Mistake | None:
        state = await self._calls.describe_workflow(target.workflow_id, target.run_id or "")
        if state is None or state.workflow_execution_info.status != RUNNING or target.workflow_id in self._seen:
            return None
        self._seen.add(target.workflow_id)
        info, config = state.workflow_execution_info, state.execution_config
        timeouts = (config.workflow_execution_timeout, config.workflow_run_timeout)
        if info.history_length > MAX_EVENTS or any(self._ends(timeout, info.start_time) for timeout in timeouts):
            return None
        events = await self._calls.history(target.workflow_id, info.execution.run_id) or []
        if state.HasField("pending_workflow_task"):
            return await self._workflow_task(state, events)
        if (target.is_call and not _accepted(events, target.update_id)) or self._timer_fires(events):
            return None
        checks = self._pending(state)
        if not checks and not target.is_call:
            checks = [self._signals(state, events)]
        found = [await check for check in checks]
        return found[0] if found and None not in found else None

    def _pending(self, state: DescribeWorkflowExecutionResponse) -> list[Awaitable[Mistake | None]]:
        return [
            *(self._activity(activity) for activity in state.pending_activities),
            *(self.workflow(Awaited(child.workflow_id, child.run_id)) for child in state.pending_children),
            *(self._operation(operation) for operation in state.pending_nexus_operations),
        ]

    def _ends(self, timeout: Any, began: Any) -> bool:
        """Whether a timeout, if one is set, ends something before the wait ends."""
        seconds = timeout.ToTimedelta().total_seconds() - (time.time() - to_datetime(began).timestamp())
        return bool(timeout.ByteSize()) and (self._skips or seconds < self._until - time.monotonic())

    def _timer_fires(self, events: Iterable[HistoryEvent]) -> bool:
        timers = open_timers(events)
        began = {event.event_id: event.event_time for event in events}
        return any(self._ends(timer.start_to_fire_timeout, began[number]) for number, timer in timers.items())

    async def _workflow_task(
        self, state: DescribeWorkflowExecutionResponse, events: Sequence[HistoryEvent]
    ) -> Mistake | None:
        info, task = state.workflow_execution_info, state.pending_workflow_task
        queue, name = info.task_queue, info.type.name
        what = f"the workflow {info.execution.workflow_id} ({name})"
        if task.attempt <= 1:
            if task.HasField("started_time") or await self._pollers.polled(queue, WORKFLOW):
                return None
            return Mistake(self._pollers.missing(queue, WORKFLOW, what, name), heals=True)
        failed = next((e for e in reversed(events) if e.HasField("workflow_task_failed_event_attributes")), None)
        if failed is None:
            return None
        attributes = failed.workflow_task_failed_event_attributes
        if lasting_failures.is_unregistered(attributes.failure):
            registered = self._pollers.registered(queue, WORKFLOW, name)
            return None if registered else _unregistered(attributes.failure.message, "workflows", name)
        if lasting_failures.is_nondeterministic(attributes.failure) and task.attempt > RANDOM_ATTEMPTS:
            again = f"{what} is non-deterministic and fails again and again"
            return Mistake(lasting_failures.explain(again, attributes.failure), heals=True)
        if not lasting_failures.of_workflow_task(attributes):
            return None
        return Mistake(lasting_failures.explain(f"{what} fails on every attempt", attributes.failure))

    async def _activity(self, activity: PendingActivityInfo) -> Mistake | None:
        options = activity.activity_options
        runs = activity.HasField("last_started_time") and not activity.HasField("next_attempt_schedule_time")
        if activity.paused or runs or self._ends(options.schedule_to_close_timeout, activity.scheduled_time):
            return None
        queue, name = options.task_queue.name, activity.activity_type.name
        if not activity.HasField("last_failure"):
            if self._ends(options.schedule_to_start_timeout, activity.scheduled_time):
                return None
            return await self._not_started(queue, name)
        return None if activity.maximum_attempts else self._failed(queue, name, activity.last_failure)

    async def standalone(self, activity_id: str, run_id: str) -> Mistake | None:
        """The mistake of an activity that no workflow started."""
        request = DescribeActivityExecutionRequest(
            namespace=self._client.namespace, activity_id=activity_id, run_id=run_id, include_last_failure=True
        )
        answer = await self._calls.call_if_found(self._client.workflow_service.describe_activity_execution, request)
        info: ActivityExecutionInfo | None = None if answer is None else answer.info
        if info is None or info.status != ActivityExecutionStatus.ACTIVITY_EXECUTION_STATUS_RUNNING:
            return None
        runs = info.HasField("last_started_time") and not info.HasField("next_attempt_schedule_time")
        if runs or self._ends(info.schedule_to_close_timeout, info.schedule_time):
            return None
        if not info.HasField("last_failure"):
            if self._ends(info.schedule_to_start_timeout, info.schedule_time):
                return None
            return await self._not_started(info.task_queue, info.activity_type.name)
        if info.retry_policy.maximum_attempts:
            return None
        return self._failed(info.task_queue, info.activity_type.name, info.last_failure)

    async def _not_started(self, queue: str, name: str) -> Mistake | None:
        if not queue or await self._pollers.polled(queue, ACTIVITY):
            return None
        return Mistake(self._pollers.missing(queue, ACTIVITY, f"the activity {name}", name), heals=True)

    def _failed(self, queue: str, name: str, failure: Any) -> Mistake | None:
        if lasting_failures.is_unregistered(failure):
            registered = self._pollers.registered(queue, ACTIVITY, name)
            return None if registered else _unregistered(failure.message, "activities", name)
        if not lasting_failures.of_activity(failure):
            return None
        place = self._workers.line_of(name)
        return Mistake(lasting_failures.explain(f"the activity {name} fails on every attempt", failure, place))

    async def _operation(self, operation: PendingNexusOperationInfo) -> Mistake | None:
        timeouts = (operation.schedule_to_close_timeout, operation.schedule_to_start_timeout)
        if operation.operation_token or any(self._ends(timeout, operation.scheduled_time) for timeout in timeouts):
            return None
        text = await self._pollers.unserved(operation.endpoint)
        name = f"{operation.service}.{operation.operation}"
        return Mistake(f"{text}, so the Nexus operation {name} does not start", heals=True) if text else None

    async def _signals(
        self, state: DescribeWorkflowExecutionResponse, events: Sequence[HistoryEvent]
    ) -> Mistake | None:
        """A signal that the workflow does not take, if it waits for nothing that the server knows."""
        signaled = EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED
        received = [
            e.workflow_execution_signaled_event_attributes.signal_name for e in events if e.event_type == signaled
        ]
        info = state.workflow_execution_info
        if not received or not await self._pollers.polled(info.task_queue, WORKFLOW):
            return None
        handle = self._client.get_workflow_handle(info.execution.workflow_id, run_id=info.execution.run_id)
        metadata = await handle.query(
            "__temporal_workflow_metadata", result_type=WorkflowMetadata, rpc_timeout=QUERY_TIMEOUT
        )
        known = [signal.name for signal in metadata.definition.signal_definitions]
        unknown = [name for name in received if name not in known]
        if "" in known or not unknown:
            return None
        where = f"the workflow {info.execution.workflow_id} ({info.type.name})"
        known_text = ", ".join(sorted(known)) or "none"
        return Mistake(f"signal {unknown[0]!r}: no handler of that name in {where} (known: {known_text})", heals=True)


def _unregistered(message: str, kind: str, name: str) -> Mistake:
    return Mistake(f"{message}\nadd it to the worker: temporal.worker({kind}=[{name}])", heals=True)


def _accepted(events: Iterable[HistoryEvent], update_id: str | None) -> bool:
    """Whether a workflow has accepted an update, and so runs its handler."""
    accepted = (e.workflow_execution_update_accepted_event_attributes.protocol_instance_id for e in events)
    return update_id is not None and update_id in accepted
