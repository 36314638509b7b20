"""Which handler reads which event: from the event table, and from `DETAILS` for events with additional fields."""

from __future__ import annotations

from collections.abc import Callable
from sys import intern
from typing import Any

from temporalio.api.common.v1 import Payload
from temporalio.api.enums.v1 import EventType as E
from temporalio.api.history.v1 import HistoryEvent

from .event_roles import EVENT_ROLES, EventRole
from .events import cause_words
from .failure_facts import retry_state_words
from .markers import read_marker
from .model import Step, StepKind, StepStatus
from .previews import stored_payloads, truncate
from .step_builder import StepBuilder, trimmed_failure
from .step_details import DETAILS, Detail

Handler = Callable[[StepBuilder, HistoryEvent, Any], "Step | None"]


def _opening(role: EventRole, detail: Detail | None) -> Handler:
    kind: StepKind = role.kind  # type: ignore[assignment] # not called for what is no step
    status: StepStatus = role.status or "completed"  # type: ignore[assignment]
    begins = status in ("running", "paused")
    has_input, has_queue, has_identity = (name in role.fields for name in ("input", "task_queue", "identity"))

    def handle(steps: StepBuilder, event: HistoryEvent, a: Any) -> Step:
        step = steps.open_step(kind, role.name_in(a), event, status, role.id_in(a))
        if begins:
            step.started = step.scheduled
        if has_input:
            step.input = _payloads(a.input)
        if has_queue:
            step.queue = intern(a.task_queue.name)
        if has_identity:
            step.identity = intern(a.identity)
        if detail is not None:
            detail(step, event, a)
        return step

    return handle


def _starting(role: EventRole, detail: Detail | None) -> Handler:
    opener = role.opener

    def handle(steps: StepBuilder, event: HistoryEvent, a: Any) -> Step | None:
        step = steps.start_step(getattr(a, opener), event)
        if step is not None and detail is not None:
            detail(step, event, a)
        return step

    return handle


def _closing(role: EventRole, _: Detail | None) -> Handler:
    opener = role.opener
    status: StepStatus = role.status  # type: ignore[assignment] # a step's, as for every event that closes one
    has_result, has_failure, has_cause, has_retry_state = (
        name in role.fields for name in ("result", "failure", "cause", "retry_state")
    )

    def handle(steps: StepBuilder, event: HistoryEvent, a: Any) -> Step | None:
        step = steps.close_step(getattr(a, opener), status, event)
        if step is None:
            return None
        if has_result and a.HasField("result"):
            step.result = _payloads(a.result)
        if has_failure and a.HasField("failure"):
            step.failure = trimmed_failure(a.failure)
        if has_cause:
            step.reason = cause_words(a)
        if has_retry_state:
            step.retry_state = retry_state_words(a.retry_state)
        step.heartbeat = ()
        return step

    return handle


def _payloads(value: Any) -> Any:
    return truncate((value,)) if isinstance(value, Payload) else stored_payloads(value)


# Updates and pauses are not found by the event that opened them, markers need the times of workflow tasks


def _update(steps: StepBuilder, event: HistoryEvent, request: Any, status: StepStatus) -> Step:
    step = steps.open_step("update", request.input.name, event, status, request.meta.update_id)
    step.identity, step.input = intern(request.meta.identity), stored_payloads(request.input.args)
    return step


def _update_admitted(steps: StepBuilder, event: HistoryEvent, a: Any) -> Step:
    step = _update(steps, event, a.request, "scheduled")
    steps.admit_update(step)
    return step


def _update_accepted(steps: StepBuilder, event: HistoryEvent, a: Any) -> Step:
    update_id = a.accepted_request.meta.update_id or a.protocol_instance_id
    admitted = steps.admitted_update(update_id)
    if admitted is not None:
        steps.start_step(admitted.event_id, event)
        return steps.move(admitted, event.event_id)
    step = _update(steps, event, a.accepted_request, "running")
    step.id, step.started = update_id, step.scheduled
    return step


def _update_rejected(steps: StepBuilder, event: HistoryEvent, a: Any) -> Step:
    step = _update(steps, event, a.rejected_request, "rejected")
    step.failure = trimmed_failure(a.failure)
    return step


def _update_completed(steps: StepBuilder, event: HistoryEvent, a: Any) -> Step | None:
    failed = a.outcome.HasField("failure")
    step = steps.close_step(a.accepted_event_id, "failed" if failed else "completed", event)
    if step is not None and failed:
        step.failure = trimmed_failure(a.outcome.failure)
    elif step is not None:
        step.result = stored_payloads(a.outcome.success)
    return step


def _unpaused(steps: StepBuilder, event: HistoryEvent, _: Any) -> Step | None:
    paused = [step for step in steps.open if step.kind == "pause"]
    return steps.close_step(paused[-1].event_id, "completed", event) if paused else None


def _marker(steps: StepBuilder, event: HistoryEvent, a: Any) -> Step:
    marker = read_marker(a)
    kind, name, step_id, attempts, begun, _, given, got, timed = marker  # there are very many
    step = steps.open_step(kind, name, event, "completed", step_id, attempts)
    if given is not None:
        step.input = stored_payloads(given)
    if got is not None:
        step.result = stored_payloads(got)
    step.timed = timed
    if begun is not None and kind == "local_activity" and begun <= step.scheduled:
        step.closed = steps.task_starts.end_of(marker, step.scheduled)
        step.scheduled = step.started = begun
    if a.HasField("failure"):
        step.failure, step.status = trimmed_failure(a.failure), "failed"
    return step


OTHERS: dict[int, Handler] = {
    E.EVENT_TYPE_MARKER_RECORDED: _marker,
    E.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ADMITTED: _update_admitted,
    E.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED: _update_accepted,
    E.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_REJECTED: _update_rejected,
    E.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_COMPLETED: _update_completed,
    E.EVENT_TYPE_WORKFLOW_EXECUTION_UNPAUSED: _unpaused,
}
_MAKERS = {"opens": _opening, "stands": _opening, "starts": _starting, "closes": _closing}
# Handlers of all events that are about steps; those of the run itself are in `run_builder`.
HANDLERS: dict[int, Handler] = {
    number: OTHERS.get(number) or _MAKERS[role.effect](role, DETAILS.get(number))
    for number, role in EVENT_ROLES.items()
    if role.kind not in ("workflow", "workflow_task", "event")
}
