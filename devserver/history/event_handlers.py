"""How events become steps: each kind of event opens a step, goes on with one, or closes one."""

from __future__ import annotations

from collections.abc import Callable
from sys import intern
from typing import Any

from temporalio.api.common.v1 import Link
from temporalio.api.enums.v1 import (
    CancelExternalWorkflowExecutionFailedCause,
    SignalExternalWorkflowExecutionFailedCause,
    StartChildWorkflowExecutionFailedCause,
)
from temporalio.api.enums.v1 import EventType as E
from temporalio.api.history.v1 import HistoryEvent

from .markers import read_marker
from .model import Execution, NexusOperation, Step, StepStatus
from .previews import truncate
from .step_builder import StepBuilder, execution, span, trimmed_failure


def _activity_scheduled(steps: StepBuilder, event: HistoryEvent, a: Any) -> Step:
    queue = intern(a.task_queue.name)
    return steps.opens(
        "activity", a.activity_type.name, event, id=a.activity_id, queue=queue, input=truncate(a.input.payloads)
    )


def _activity_started(steps: StepBuilder, event: HistoryEvent, a: Any) -> Step | None:
    step = steps.begins(a.scheduled_event_id, event)
    if step is not None:
        step.attempts, step.identity = a.attempt or 1, intern(a.identity)
        if a.HasField("last_failure"):
            step.failure = trimmed_failure(a.last_failure)
    return step


def _timer_started(steps: StepBuilder, event: HistoryEvent, a: Any) -> Step:
    step = steps.opens("timer", "", event, id=a.timer_id, status="running", duration=span(a.start_to_fire_timeout))
    step.started = step.scheduled
    return step


def _child_initiated(steps: StepBuilder, event: HistoryEvent, a: Any) -> Step:
    return steps.opens(
        "child",
        a.workflow_type.name,
        event,
        id=a.workflow_id,
        queue=intern(a.task_queue.name),
        input=truncate(a.input.payloads),
        target=Execution(a.workflow_id, "", intern(a.namespace)),
    )


def _child_started(steps: StepBuilder, event: HistoryEvent, a: Any) -> Step | None:
    step = steps.begins(a.initiated_event_id, event)
    if step is not None:
        step.target = execution(a.workflow_execution, intern(a.namespace))
    return step


def _signalled(steps: StepBuilder, event: HistoryEvent, a: Any) -> Step:
    sender = execution(a.external_workflow_execution) if a.HasField("external_workflow_execution") else None
    return steps.opens(
        "signal",
        a.signal_name,
        event,
        status="completed",
        identity=intern(a.identity),
        input=truncate(a.input.payloads),
        target=sender,
    )


def _signal_sent(steps: StepBuilder, event: HistoryEvent, a: Any) -> Step:
    target = execution(a.workflow_execution, intern(a.namespace))
    return steps.opens("signal_out", a.signal_name, event, input=truncate(a.input.payloads), target=target)


def _cancel_requested(steps: StepBuilder, event: HistoryEvent, a: Any) -> Step:
    sender = execution(a.external_workflow_execution) if a.HasField("external_workflow_execution") else None
    return steps.opens(
        "cancel", "", event, status="completed", identity=intern(a.identity), reason=a.cause, target=sender
    )


def _cancel_sent(steps: StepBuilder, event: HistoryEvent, a: Any) -> Step:
    target = execution(a.workflow_execution, intern(a.namespace))
    return steps.opens("cancel_out", "", event, reason=a.reason, target=target)


def _update(steps: StepBuilder, event: HistoryEvent, request: Any) -> Step:
    return steps.opens(
        "update",
        request.input.name,
        event,
        id=request.meta.update_id,
        identity=intern(request.meta.identity),
        input=truncate(request.input.args.payloads),
    )


def _update_admitted(steps: StepBuilder, event: HistoryEvent, a: Any) -> Step:
    step = _update(steps, event, a.request)
    steps.update(step.id, step)
    return step


def _update_accepted(steps: StepBuilder, event: HistoryEvent, a: Any) -> Step:
    update_id = a.accepted_request.meta.update_id or a.protocol_instance_id
    admitted = steps.update(update_id)
    if admitted is not None:
        steps.begins(admitted.event_id, event)
        return steps.moved(admitted, event.event_id)
    step = _update(steps, event, a.accepted_request)
    step.id, step.status, step.started = update_id, "running", step.scheduled
    return step


def _update_rejected(steps: StepBuilder, event: HistoryEvent, a: Any) -> Step:
    step = _update(steps, event, a.rejected_request)
    step.failure = trimmed_failure(a.failure)
    return steps.closes(event.event_id, "rejected", event) or step


def _update_completed(steps: StepBuilder, event: HistoryEvent, a: Any) -> Step | None:
    failed = a.outcome.HasField("failure")
    step = steps.closes(a.accepted_event_id, "failed" if failed else "completed", event)
    if step is not None and failed:
        step.failure = trimmed_failure(a.outcome.failure)
    elif step is not None:
        step.result = truncate(a.outcome.success.payloads)
    return step


def _nexus_scheduled(steps: StepBuilder, event: HistoryEvent, a: Any) -> Step:
    operation = NexusOperation(intern(a.endpoint), intern(a.service), intern(a.operation))
    return steps.opens("nexus", a.operation, event, operation=operation, input=truncate((a.input,)))


def _nexus_started(steps: StepBuilder, event: HistoryEvent, a: Any) -> Step | None:
    step = steps.begins(a.scheduled_event_id, event)
    if step is not None and step.operation is not None:
        to = step.operation
        step.operation = NexusOperation(to.endpoint, to.service, to.name, a.operation_token or a.operation_id)
        step.target = next((_linked(link) for link in event.links if link.HasField("workflow_event")), None)
    return step


def _linked(link: Link) -> Execution:
    to = link.workflow_event
    return Execution(to.workflow_id, to.run_id, intern(to.namespace))


def _marker(steps: StepBuilder, event: HistoryEvent, a: Any) -> Step:
    read = read_marker(a)
    step = steps.opens(read.kind, read.name, event, status="completed", id=read.id, attempts=read.attempts)
    step.result = truncate(read.result)
    if read.kind == "local_activity" and read.scheduled is not None and read.scheduled <= step.scheduled:
        step.closed = step.scheduled
        step.scheduled = step.started = read.scheduled
        if read.completed is not None and read.scheduled <= read.completed <= step.closed:
            step.closed = read.completed
    if a.HasField("failure"):
        step.failure, step.status = trimmed_failure(a.failure), "failed"
    return step


def _attributes(steps: StepBuilder, event: HistoryEvent, a: Any) -> Step:
    return _noted(steps, event, "search attributes", a.search_attributes.indexed_fields)


def _memo(steps: StepBuilder, event: HistoryEvent, a: Any) -> Step:
    return _noted(steps, event, "memo", a.upserted_memo.fields)


def _noted(steps: StepBuilder, event: HistoryEvent, what: str, fields: Any) -> Step:
    names = ", ".join(sorted(fields))
    return steps.opens("marker", what, event, status="completed", id=names)


def _options(steps: StepBuilder, event: HistoryEvent, a: Any) -> Step:
    return steps.opens("marker", "options updated", event, status="completed", identity=intern(a.identity))


def _paused(steps: StepBuilder, event: HistoryEvent, a: Any) -> Step:
    step = steps.opens("pause", "", event, status="paused", identity=intern(a.identity), reason=a.reason)
    step.started = step.scheduled
    return step


def _unpaused(steps: StepBuilder, event: HistoryEvent, _: Any) -> Step | None:
    paused = [step for step in steps.open if step.kind == "pause"]
    return steps.closes(paused[-1].event_id, "completed", event) if paused else None


Handler = Callable[[StepBuilder, HistoryEvent, Any], "Step | None"]


def _closing(field: str, status: StepStatus, cause: Any = None) -> Handler:
    """A handler for an event that closes the step which the event in `field` opened."""

    def close(steps: StepBuilder, event: HistoryEvent, a: Any) -> Step | None:
        step = steps.closes(getattr(a, field), status, event)
        if step is None:
            return None
        fields = a.DESCRIPTOR.fields_by_name
        if "result" in fields and a.HasField("result"):
            step.result = truncate(a.result.payloads if hasattr(a.result, "payloads") else (a.result,))
        if "failure" in fields and a.HasField("failure"):
            step.failure = trimmed_failure(a.failure)
        if cause is not None:
            step.reason = _words(cause.Name(a.cause))
        return step

    return close


def _words(name: str) -> str:
    """The words of an enum's value, without those that say which enum it is."""
    return name.partition("_CAUSE_")[2].replace("_", " ").lower() or name


SCHEDULED, INITIATED = "scheduled_event_id", "initiated_event_id"
TABLE: dict[int, Handler] = {
    E.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED: _activity_scheduled,
    E.EVENT_TYPE_ACTIVITY_TASK_STARTED: _activity_started,
    E.EVENT_TYPE_ACTIVITY_TASK_COMPLETED: _closing(SCHEDULED, "completed"),
    E.EVENT_TYPE_ACTIVITY_TASK_FAILED: _closing(SCHEDULED, "failed"),
    E.EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT: _closing(SCHEDULED, "timed_out"),
    E.EVENT_TYPE_ACTIVITY_TASK_CANCELED: _closing(SCHEDULED, "canceled"),
    E.EVENT_TYPE_TIMER_STARTED: _timer_started,
    E.EVENT_TYPE_TIMER_FIRED: _closing("started_event_id", "completed"),
    E.EVENT_TYPE_TIMER_CANCELED: _closing("started_event_id", "canceled"),
    E.EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_INITIATED: _child_initiated,
    E.EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_FAILED: _closing(
        INITIATED, "failed", StartChildWorkflowExecutionFailedCause
    ),
    E.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_STARTED: _child_started,
    E.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_COMPLETED: _closing(INITIATED, "completed"),
    E.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_FAILED: _closing(INITIATED, "failed"),
    E.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_TIMED_OUT: _closing(INITIATED, "timed_out"),
    E.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_CANCELED: _closing(INITIATED, "canceled"),
    E.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_TERMINATED: _closing(INITIATED, "terminated"),
    E.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED: _signalled,
    E.EVENT_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED: _signal_sent,
    E.EVENT_TYPE_EXTERNAL_WORKFLOW_EXECUTION_SIGNALED: _closing(INITIATED, "completed"),
    E.EVENT_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED: _closing(
        INITIATED, "failed", SignalExternalWorkflowExecutionFailedCause
    ),
    E.EVENT_TYPE_WORKFLOW_EXECUTION_CANCEL_REQUESTED: _cancel_requested,
    E.EVENT_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED: _cancel_sent,
    E.EVENT_TYPE_EXTERNAL_WORKFLOW_EXECUTION_CANCEL_REQUESTED: _closing(INITIATED, "completed"),
    E.EVENT_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_FAILED: _closing(
        INITIATED, "failed", CancelExternalWorkflowExecutionFailedCause
    ),
    E.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ADMITTED: _update_admitted,
    E.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED: _update_accepted,
    E.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_REJECTED: _update_rejected,
    E.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_COMPLETED: _update_completed,
    E.EVENT_TYPE_NEXUS_OPERATION_SCHEDULED: _nexus_scheduled,
    E.EVENT_TYPE_NEXUS_OPERATION_STARTED: _nexus_started,
    E.EVENT_TYPE_NEXUS_OPERATION_COMPLETED: _closing(SCHEDULED, "completed"),
    E.EVENT_TYPE_NEXUS_OPERATION_FAILED: _closing(SCHEDULED, "failed"),
    E.EVENT_TYPE_NEXUS_OPERATION_TIMED_OUT: _closing(SCHEDULED, "timed_out"),
    E.EVENT_TYPE_NEXUS_OPERATION_CANCELED: _closing(SCHEDULED, "canceled"),
    E.EVENT_TYPE_MARKER_RECORDED: _marker,
    E.EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES: _attributes,
    E.EVENT_TYPE_WORKFLOW_PROPERTIES_MODIFIED: _memo,
    E.EVENT_TYPE_WORKFLOW_EXECUTION_OPTIONS_UPDATED: _options,
    E.EVENT_TYPE_WORKFLOW_EXECUTION_PAUSED: _paused,
    E.EVENT_TYPE_WORKFLOW_EXECUTION_UNPAUSED: _unpaused,
}
