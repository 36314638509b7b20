"""What some events say beyond what all events of their kind say: functions that add it to a step."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from sys import intern
from typing import Any

from temporalio.api.enums.v1 import EventType as E
from temporalio.api.history.v1 import HistoryEvent

from ..client.timestamps import to_timedelta
from .model import Step
from .relations import Execution, NexusOperation
from .step_builder import execution, named_payloads, trimmed_failure

Detail = Callable[[Step, HistoryEvent, Any], None]


def _attempt(step: Step, _: HistoryEvent, a: Any) -> None:
    step.attempts, step.identity = a.attempt or 1, intern(a.identity)
    if a.HasField("last_failure"):
        step.failure = trimmed_failure(a.last_failure)


def _duration(step: Step, _: HistoryEvent, a: Any) -> None:
    step.duration = to_timedelta(a.start_to_fire_timeout)


def _child(step: Step, _: HistoryEvent, a: Any) -> None:
    step.target = Execution(a.workflow_id, "", intern(a.namespace))


def _target(step: Step, _: HistoryEvent, a: Any) -> None:
    step.target = execution(a.workflow_execution, intern(a.namespace))


def _cancel_target(step: Step, event: HistoryEvent, a: Any) -> None:
    step.id, step.reason = "", a.reason
    _target(step, event, a)


def _signal_target(step: Step, event: HistoryEvent, a: Any) -> None:
    step.id = ""
    _target(step, event, a)


def _sender(step: Step, _: HistoryEvent, a: Any) -> None:
    if a.HasField("external_workflow_execution"):
        step.target = execution(a.external_workflow_execution)


def _cancel_request(step: Step, event: HistoryEvent, a: Any) -> None:
    step.reason = a.cause
    _sender(step, event, a)


def _nexus_address(step: Step, _: HistoryEvent, a: Any) -> None:
    step.id, step.operation = "", NexusOperation(intern(a.endpoint), intern(a.service), intern(a.operation))


def _nexus_token(step: Step, event: HistoryEvent, a: Any) -> None:
    if step.operation is not None:
        step.operation = replace(step.operation, token=a.operation_token or a.operation_id)
        workflows = (link.workflow_event for link in event.links if link.HasField("workflow_event"))
        step.target = next((Execution(to.workflow_id, to.run_id, intern(to.namespace)) for to in workflows), None)


def _search_attributes(step: Step, _: HistoryEvent, a: Any) -> None:
    step.name, step.id = "search attributes", ", ".join(sorted(a.search_attributes.indexed_fields))
    step.values = named_payloads(a.search_attributes.indexed_fields)


def _memo(step: Step, _: HistoryEvent, a: Any) -> None:
    step.name, step.id = "memo", ", ".join(sorted(a.upserted_memo.fields))
    step.values = named_payloads(a.upserted_memo.fields)


def _options(step: Step, _: HistoryEvent, __: Any) -> None:
    step.name = "options updated"


def _pause(step: Step, _: HistoryEvent, a: Any) -> None:
    step.reason = a.reason


DETAILS: dict[int, Detail] = {
    E.EVENT_TYPE_ACTIVITY_TASK_STARTED: _attempt,
    E.EVENT_TYPE_TIMER_STARTED: _duration,
    E.EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_INITIATED: _child,
    E.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_STARTED: _target,
    E.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED: _sender,
    E.EVENT_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED: _signal_target,
    E.EVENT_TYPE_WORKFLOW_EXECUTION_CANCEL_REQUESTED: _cancel_request,
    E.EVENT_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED: _cancel_target,
    E.EVENT_TYPE_NEXUS_OPERATION_SCHEDULED: _nexus_address,
    E.EVENT_TYPE_NEXUS_OPERATION_STARTED: _nexus_token,
    E.EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES: _search_attributes,
    E.EVENT_TYPE_WORKFLOW_PROPERTIES_MODIFIED: _memo,
    E.EVENT_TYPE_WORKFLOW_EXECUTION_OPTIONS_UPDATED: _options,
    E.EVENT_TYPE_WORKFLOW_EXECUTION_PAUSED: _pause,
}
