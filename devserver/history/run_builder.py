"""Makes a run of its events, one at a time: each event is read once and can be dropped."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from sys import intern
from typing import Any

from temporalio.api.enums.v1 import ContinueAsNewInitiator, TimeoutType, WorkflowTaskFailedCause
from temporalio.api.enums.v1 import EventType as E
from temporalio.api.history.v1 import HistoryEvent

from ..client.timestamps import to_datetime
from .event_handlers import TABLE
from .model import Execution, FailedTasks, NextRun, OriginKind, RunOrigin, RunStatus, Step, WorkflowRun
from .previews import truncate
from .step_builder import StepBuilder, execution, span, trimmed_failure
from .tail import ENDED_BY_THE_SERVER

MOST_WORKERS = 20
MOST_REASON = 500
RESET = WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_RESET_WORKFLOW
SCHEDULED_BY = "TemporalScheduledById"
_PREFIX = len("EVENT_TYPE_")
ATTRIBUTES: dict[int, str] = {int(number): f"{name[_PREFIX:].lower()}_event_attributes" for name, number in E.items()}
INITIATORS: dict[int, OriginKind] = {
    ContinueAsNewInitiator.CONTINUE_AS_NEW_INITIATOR_RETRY: "retried",
    ContinueAsNewInitiator.CONTINUE_AS_NEW_INITIATOR_CRON_SCHEDULE: "cron",
}
CLOSES: dict[int, RunStatus] = {
    E.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED: "completed",
    E.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED: "failed",
    E.EVENT_TYPE_WORKFLOW_EXECUTION_TIMED_OUT: "timed_out",
    E.EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED: "canceled",
    E.EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED: "terminated",
    E.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW: "continued_as_new",
}


class RunBuilder:
    """Reads the events of one run, in their order; one that was read before is passed over, so that pages can be read
    anew. Kinds of events that are not known are counted and otherwise ignored.

    `run` is up to date after each `add`.
    """

    def __init__(self, workflow_id: str, run_id: str, namespace: str = "") -> None:
        self.run = WorkflowRun(workflow_id, run_id, namespace)
        self.steps = StepBuilder(self.run.steps)
        self._failing: Step | None = None

    def add(self, event: HistoryEvent) -> Step | None:
        """Read one event; the step that it opened or changed, None where it is about none."""
        if event.event_id <= self.run.events:
            return None
        self.run.events = event.event_id
        kind = event.event_type
        handler = TABLE.get(kind)
        if handler is not None:
            step = handler(self.steps, event, getattr(event, ATTRIBUTES[kind]))
            if step is not None and step.kind == "pause":
                self.run.status = "paused" if step.open else "running"
            return step
        of_the_run = OF_THE_RUN.get(kind)
        return of_the_run(self, event, getattr(event, ATTRIBUTES[kind])) if of_the_run is not None else None

    # What events tell of the run itself: see `OF_THE_RUN`

    def _started(self, event: HistoryEvent, a: Any) -> None:
        run = self.run
        run.type, run.task_queue = a.workflow_type.name, a.task_queue.name
        run.started, run.delay, run.attempt = (
            to_datetime(event.event_time),
            span(a.first_workflow_task_backoff),
            a.attempt,
        )
        run.first_run_id = a.first_execution_run_id
        run.input = truncate(a.input.payloads)
        run.memo = tuple((name, truncate((payload,))) for name, payload in sorted(a.memo.fields.items()))
        parent = None
        if a.HasField("parent_workflow_execution"):
            parent = execution(a.parent_workflow_execution, a.parent_workflow_namespace)
        called = _called_by(a)
        schedule = truncate((a.search_attributes.indexed_fields[SCHEDULED_BY],)) if _scheduled(a) else ()
        run.origin = RunOrigin(
            how=INITIATORS.get(a.initiator, "continued_as_new") if a.continued_execution_run_id else "started",
            run_id=a.continued_execution_run_id,
            by=a.identity,
            schedule_id=schedule[0].payload.data.decode(errors="replace").strip('"') if schedule else "",
            parent=parent,
            parent_event=a.parent_initiated_event_id if parent else 0,
            root=execution(a.root_workflow_execution) if parent else None,
            caller=Execution(called.workflow_id, called.run_id, called.namespace) if called is not None else None,
            caller_event=called.event_ref.event_id if called is not None else 0,
        )

    def _closed(self, event: HistoryEvent, a: Any) -> None:
        run, status = self.run, CLOSES[event.event_type]
        run.status, run.closed = status, to_datetime(event.event_time)
        if status == "completed":
            run.result = truncate(a.result.payloads)
        elif status == "canceled":
            run.result = truncate(a.details.payloads)
        elif status == "failed":
            run.failure = trimmed_failure(a.failure)
        elif status == "terminated":
            by = f" (by {a.identity})" if a.identity else ""
            run.reason = a.reason[:MOST_REASON] + by
        following = getattr(a, "new_execution_run_id", "")
        if following:
            run.next = NextRun(_how(status, a), following)
        if self._failing is not None:
            self._mended(event)
        self.steps.end(event)

    def _time_skipped(self, event: HistoryEvent, a: Any) -> None:
        self.run.skipped += max(to_datetime(a.target_time) - to_datetime(event.event_time), self.run.skipped * 0)

    def _task_scheduled(self, _: HistoryEvent, a: Any) -> Step | None:
        """A history has the first failure of several in a row; the task that went well has the number of all."""
        step = self._failing
        if step is None or a.attempt - 1 <= step.attempts:
            return None
        step.attempts = a.attempt - 1
        return step

    def _task_timed_out(self, event: HistoryEvent, a: Any) -> Step | None:
        if a.timeout_type != TimeoutType.TIMEOUT_TYPE_START_TO_CLOSE:
            return None
        return self._fails(event, reason="no worker answered in time")

    def _task_completed(self, event: HistoryEvent, a: Any) -> Step | None:
        run = self.run
        if a.identity not in run.identities and len(run.identities) < MOST_WORKERS:
            run.identities.append(intern(a.identity))
        build = _build(a)
        if build and build not in run.builds and len(run.builds) < MOST_WORKERS:
            run.builds.append(build)
        return self._mended(event) if self._failing is not None else None

    def _task_failed(self, event: HistoryEvent, a: Any) -> Step | None:
        if a.cause == RESET:
            self.run.started = to_datetime(event.event_time)
            self.run.origin = replace(
                self.run.origin,
                how="reset",
                run_id=a.base_run_id,
                event_id=event.event_id,
                by=a.identity,
                reason=a.failure.message[:MOST_REASON],
            )
            return None
        if a.cause in ENDED_BY_THE_SERVER:
            return None
        reason = WorkflowTaskFailedCause.Name(a.cause) if a.cause in WorkflowTaskFailedCause.values() else ""
        return self._fails(event, a, reason.partition("_CAUSE_")[2].replace("_", " ").lower())

    def _fails(self, event: HistoryEvent, a: Any = None, reason: str = "") -> Step:
        at = to_datetime(event.event_time)
        if self._failing is None:
            self._failing = self.steps.opens("workflow_task_failure", "", event, status="backing_off")
        step = self._failing
        step.attempts, step.reason = step.attempts + 1, reason
        if a is not None:
            step.failure, step.identity = trimmed_failure(a.failure), intern(a.identity)
        failed = self.run.failed_tasks
        self.run.failed_tasks = FailedTasks(failed.count + 1, at, step.failure)
        return step

    def _mended(self, event: HistoryEvent) -> Step | None:
        step, self._failing = self._failing, None
        return self.steps.closes(step.event_id, "failed", event) if step is not None else None


OF_THE_RUN: dict[int, Callable[[RunBuilder, HistoryEvent, Any], Step | None]] = {
    E.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED: RunBuilder._started,
    E.EVENT_TYPE_WORKFLOW_TASK_SCHEDULED: RunBuilder._task_scheduled,
    E.EVENT_TYPE_WORKFLOW_TASK_COMPLETED: RunBuilder._task_completed,
    E.EVENT_TYPE_WORKFLOW_TASK_FAILED: RunBuilder._task_failed,
    E.EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT: RunBuilder._task_timed_out,
    E.EVENT_TYPE_WORKFLOW_EXECUTION_TIME_SKIPPING_TRANSITIONED: RunBuilder._time_skipped,
    **dict.fromkeys(CLOSES, RunBuilder._closed),
}


def _how(status: RunStatus, a: Any) -> OriginKind:
    if status == "continued_as_new":
        return INITIATORS.get(a.initiator, "continued_as_new")
    return "cron" if status == "completed" else "retried"


def _called_by(a: Any) -> Any:
    """The event that scheduled the Nexus operation behind which a run is, None where there is none."""
    for link in (link for callback in a.completion_callbacks for link in callback.links):
        if link.workflow_event.event_ref.event_type == E.EVENT_TYPE_NEXUS_OPERATION_SCHEDULED:
            return link.workflow_event
    return None


def _scheduled(a: Any) -> bool:
    return a.HasField("search_attributes") and SCHEDULED_BY in a.search_attributes.indexed_fields


def _build(a: Any) -> str:
    version = a.deployment_version
    if version.build_id:
        return intern(f"{version.deployment_name}:{version.build_id}" if version.deployment_name else version.build_id)
    return intern(a.worker_version.build_id or a.binary_checksum)
