"""Makes a run of its events, one at a time: each event is read once and can be dropped."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from sys import intern
from typing import Any

from temporalio.api.enums.v1 import ContinueAsNewInitiator, TimeoutType, WorkflowTaskFailedCause
from temporalio.api.enums.v1 import EventType as E
from temporalio.api.history.v1 import HistoryEvent

from ..client.statuses import RunStatus
from ..client.timestamps import to_datetime, to_timedelta
from .event_roles import EVENT_ROLES
from .events import cause_words, close_status, next_run_id
from .failure_facts import retry_state_words
from .model import Step, WorkflowRun
from .previews import stored_payloads, truncate
from .relations import Execution, FailedTasks, NextRun, OriginKind, RunOrigin
from .step_builder import StepBuilder, execution, named_payloads, trimmed_failure
from .step_handlers import HANDLERS
from .tail import ENDED_BY_THE_SERVER

VERSIONING = {1: "pinned", 2: "auto upgrade"}
MAX_WORKERS = 20
MAX_REASON = 500
RESET = WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_RESET_WORKFLOW
SCHEDULED_BY = "TemporalScheduledById"
INITIATORS: dict[int, OriginKind] = {
    ContinueAsNewInitiator.CONTINUE_AS_NEW_INITIATOR_RETRY: "retried",
    ContinueAsNewInitiator.CONTINUE_AS_NEW_INITIATOR_CRON_SCHEDULE: "cron",
}


class RunBuilder:
    """Reads the events of one run in their order; `run` is up to date after each `add`.

    An event that was read before is skipped, so that pages can be read again. Event types that the table does not know
    are counted and otherwise ignored.
    """

    def __init__(self, workflow_id: str, run_id: str, namespace: str = "") -> None:
        self.run = WorkflowRun(workflow_id, run_id, namespace)
        self.steps = StepBuilder(self.run.steps)
        self._failing: Step | None = None  # workflow tasks that fail in a row

    def add(self, event: HistoryEvent) -> Step | None:
        """Read one event; the step that it opened or changed, None if it is about none."""
        number, run = event.event_id, self.run
        if number <= run.events:
            return None
        run.events = number
        reading = _READINGS.get(event.event_type)
        if reading is None:
            return None
        field, of_step, of_run, notes = reading
        if of_step is None:
            return of_run(self, event, getattr(event, field)) if of_run is not None else None
        step = of_step(self.steps, event, getattr(event, field))
        if notes and step is not None:
            self._note(step)
        return step

    def _note(self, step: Step) -> None:
        """What a step changes of its run."""
        if step.kind == "pause":
            self.run.status = "paused" if step.open else "running"
        else:
            name = "memo" if step.name == "memo" else "search_attributes"
            merged = {**dict(getattr(self.run, name)), **dict(step.values)}
            setattr(self.run, name, tuple(sorted(merged.items())))

    # Events of the run itself

    def _started(self, event: HistoryEvent, a: Any) -> None:
        run = self.run
        run.type, run.task_queue, run.attempt = a.workflow_type.name, a.task_queue.name, a.attempt
        run.started = to_datetime(event.event_time)
        run.delay = to_timedelta(a.first_workflow_task_backoff)
        run.first_run_id = a.first_execution_run_id
        run.input = stored_payloads(a.input)
        run.memo = named_payloads(a.memo.fields)
        run.search_attributes = named_payloads(a.search_attributes.indexed_fields)
        run.cron = a.cron_schedule
        if event.HasField("user_metadata"):
            about = event.user_metadata
            run.summary = truncate((about.summary,)) if about.HasField("summary") else ()
            run.details = truncate((about.details,)) if about.HasField("details") else ()
        parent = None
        if a.HasField("parent_workflow_execution"):
            parent = execution(a.parent_workflow_execution, a.parent_workflow_namespace)
        caller = _nexus_caller(a)
        run.origin = RunOrigin(
            how=INITIATORS.get(a.initiator, "continued_as_new") if a.continued_execution_run_id else "started",
            run_id=a.continued_execution_run_id,
            by=a.identity,
            schedule_id=_schedule_id(a),
            parent=parent,
            parent_event=a.parent_initiated_event_id if parent else 0,
            root=execution(a.root_workflow_execution) if parent else None,
            caller=Execution(caller.workflow_id, caller.run_id, caller.namespace) if caller is not None else None,
            caller_event=caller.event_ref.event_id if caller is not None else 0,
        )

    def _closed(self, event: HistoryEvent, a: Any) -> None:
        run, status = self.run, close_status(event) or "completed"
        run.status, run.closed = status, to_datetime(event.event_time)
        if status == "completed":
            run.result = stored_payloads(a.result)
        elif status == "canceled":
            run.result = stored_payloads(a.details)
        elif status == "failed":
            run.failure, run.retry_state = trimmed_failure(a.failure), retry_state_words(a.retry_state)
        elif status == "terminated":
            by = f" (by {a.identity})" if a.identity else ""
            run.reason = a.reason[:MAX_REASON] + by
        following = next_run_id(event)
        if following:
            run.next = NextRun(_next_how(status, a), following)
        self._tasks_succeed(event)
        self.steps.close_all(event)

    def _time_skipped(self, event: HistoryEvent, a: Any) -> None:
        skipped = to_datetime(a.target_time) - to_datetime(event.event_time)
        self.run.skipped += max(skipped, self.run.skipped * 0)

    def _task_scheduled(self, _: HistoryEvent, a: Any) -> Step | None:
        """A history has the first of several failures in a row; the number of the next attempt counts them all."""
        step = self._failing
        if step is None or a.attempt - 1 <= step.attempts:
            return None
        step.attempts = a.attempt - 1
        return step

    def _task_started(self, event: HistoryEvent, _: Any) -> None:
        self.steps.task_starts.add(to_datetime(event.event_time))

    def _task_timed_out(self, event: HistoryEvent, a: Any) -> Step | None:
        if a.timeout_type != TimeoutType.TIMEOUT_TYPE_START_TO_CLOSE:
            return None
        return self._task_fails(event, reason="no worker answered in time")

    def _task_completed(self, event: HistoryEvent, a: Any) -> Step | None:
        run = self.run
        if a.identity not in run.identities and len(run.identities) < MAX_WORKERS:
            run.identities.append(intern(a.identity))
        run.versioning = VERSIONING.get(a.versioning_behavior, "")
        build = _build(a)
        if build and build not in run.builds and len(run.builds) < MAX_WORKERS:
            run.builds.append(build)
        return self._tasks_succeed(event)

    def _task_failed(self, event: HistoryEvent, a: Any) -> Step | None:
        if a.cause == RESET:
            self.run.started = to_datetime(event.event_time)
            self.run.origin = replace(
                self.run.origin,
                how="reset",
                run_id=a.base_run_id,
                event_id=event.event_id,
                by=a.identity,
                reason=a.failure.message[:MAX_REASON],
            )
            return None
        return None if a.cause in ENDED_BY_THE_SERVER else self._task_fails(event, a, cause_words(a))

    def _task_fails(self, event: HistoryEvent, a: Any = None, reason: str = "") -> Step:
        if self._failing is None:
            self._failing = self.steps.open_step("workflow_task_failure", "", event, "backing_off")
        step = self._failing
        step.attempts, step.reason = step.attempts + 1, reason
        if a is not None:
            step.failure, step.identity = trimmed_failure(a.failure), intern(a.identity)
        count = self.run.failed_tasks.count + 1
        self.run.failed_tasks = FailedTasks(count, to_datetime(event.event_time), step.failure)
        return step

    def _tasks_succeed(self, event: HistoryEvent) -> Step | None:
        step, self._failing = self._failing, None
        return self.steps.close_step(step.event_id, "failed", event) if step is not None else None


RunHandler = Callable[[RunBuilder, HistoryEvent, Any], "Step | None"]
_RUN_HANDLERS: dict[int, RunHandler] = {
    E.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED: RunBuilder._started,
    E.EVENT_TYPE_WORKFLOW_TASK_SCHEDULED: RunBuilder._task_scheduled,
    E.EVENT_TYPE_WORKFLOW_TASK_STARTED: RunBuilder._task_started,
    E.EVENT_TYPE_WORKFLOW_TASK_COMPLETED: RunBuilder._task_completed,
    E.EVENT_TYPE_WORKFLOW_TASK_FAILED: RunBuilder._task_failed,
    E.EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT: RunBuilder._task_timed_out,
    E.EVENT_TYPE_WORKFLOW_EXECUTION_TIME_SKIPPING_TRANSITIONED: RunBuilder._time_skipped,
    **{
        number: RunBuilder._closed
        for number, role in EVENT_ROLES.items()
        if role.kind == "workflow" and role.effect == "closes"
    },
}
# Steps that change something of their run.
_NOTED = (
    E.EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES,
    E.EVENT_TYPE_WORKFLOW_PROPERTIES_MODIFIED,
    E.EVENT_TYPE_WORKFLOW_EXECUTION_PAUSED,
    E.EVENT_TYPE_WORKFLOW_EXECUTION_UNPAUSED,
)
# For each event type: where its attributes are, who reads them, and whether the step changes something of its run.
_READINGS = {
    number: (role.attributes_field, HANDLERS.get(number), _RUN_HANDLERS.get(number), number in _NOTED)
    for number, role in EVENT_ROLES.items()
}


def _next_how(status: RunStatus, a: Any) -> OriginKind:
    if status == "continued_as_new":
        return INITIATORS.get(a.initiator, "continued_as_new")
    return "cron" if status == "completed" else "retried"


def _nexus_caller(a: Any) -> Any:
    """The event that scheduled the Nexus operation which started the run; None if none did."""
    for link in (link for callback in a.completion_callbacks for link in callback.links):
        if link.workflow_event.event_ref.event_type == E.EVENT_TYPE_NEXUS_OPERATION_SCHEDULED:
            return link.workflow_event
    return None


def _schedule_id(a: Any) -> str:
    if not a.HasField("search_attributes") or SCHEDULED_BY not in a.search_attributes.indexed_fields:
        return ""
    return str(a.search_attributes.indexed_fields[SCHEDULED_BY].data.decode(errors="replace").strip('"'))


def _build(a: Any) -> str:
    version = a.deployment_version
    if version.build_id:
        return intern(f"{version.deployment_name}:{version.build_id}" if version.deployment_name else version.build_id)
    return intern(a.worker_version.build_id or a.binary_checksum)
