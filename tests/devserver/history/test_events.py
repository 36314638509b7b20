"""The table of event types: it is complete, matches the API, and traces and searches agree on it."""

from __future__ import annotations

import asyncio
from functools import reduce
from typing import Any

import pytest
from temporalio.api.common.v1 import Payload
from temporalio.api.enums.v1 import EventType, StartChildWorkflowExecutionFailedCause
from temporalio.api.failure.v1 import Failure
from temporalio.api.history.v1 import HistoryEvent
from temporalio.converter import DataConverter

from devserver.history import (
    EVENT_ROLES,
    EventRole,
    RunBuilder,
    close_status,
    event_name,
    next_run_id,
    open_steps,
    open_timers,
)
from devserver.history.event_roles import _ROWS
from devserver.history.events import cause_words
from devserver.history.step_handlers import HANDLERS
from devserver.search import schema
from devserver.search.event_readings import READINGS
from devserver.search.indexed_steps import IndexedSteps

ROLES = list(EVENT_ROLES.values())
CLOSING = [role for role in ROLES if role.effect in ("starts", "closes") and role.opener]


def event(role: EventRole, event_id: int = 1) -> HistoryEvent:
    """Return an event of this type with empty attributes."""
    made = HistoryEvent(event_id=event_id, event_type=role.number)  # type: ignore[arg-type] # a number of the enum
    made.event_time.seconds = event_id
    role.attributes(made).SetInParent()
    return made


def opened_by(role: EventRole) -> HistoryEvent:
    """Return event 7, which opens the step that an event of this type starts or closes."""
    names = {"update": "WorkflowExecutionUpdateAccepted"}
    for opening in ROLES:
        if opening.name == names.get(role.kind) or (opening.kind == role.kind and opening.effect == "opens"):
            if role.kind in names and opening.name != names[role.kind]:
                continue
            made = event(opening, 7)
            if role.kind == "update":
                made.workflow_execution_update_accepted_event_attributes.accepted_request.meta.update_id = "u"
            return made
    raise AssertionError(f"nothing opens {role.kind}")


def closed(role: EventRole) -> HistoryEvent:
    """Return event 8 of this type, about the step that event 7 opened."""
    made = event(role, 8)
    setattr(role.attributes(made), role.opener, 7)
    if role.kind == "update":
        made.workflow_execution_update_completed_event_attributes.meta.update_id = "u"
    return made


def test_every_event_type_has_a_row() -> None:
    """Every event type of the API has a row, with Temporal's name and a field of the event."""
    assert set(EVENT_ROLES) == {number for number in EventType.values() if number}
    assert set(_ROWS) <= {name.removeprefix("EVENT_TYPE_") for name, _ in EventType.items()}
    assert event_name(13) == "ActivityTaskFailed"
    assert event_name(999) == "EventType999"
    for role in ROLES:
        assert event(role).WhichOneof("attributes") == role.attributes_field


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)
def test_rows_match_the_message(role: EventRole) -> None:
    """The opening event is a number, name and id are text, and references have an opening event."""
    attributes = role.attributes(event(role))
    assert isinstance(role.opener_in(attributes), int)
    assert role.opener == "" or role.opener in role.fields
    for path in filter(None, (role.step_name, role.step_id)):
        assert isinstance(reduce(getattr, path.split("."), attributes), str)
    for reference in ("scheduled_event_id", "initiated_event_id"):
        assert reference not in role.fields or role.opener == reference
    assert role.kind == "event" or role.effect == "opens" or role.status is not None


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)
def test_failures_and_payloads_are_found(role: EventRole) -> None:
    """Exactly the messages that have failures or payloads yield them."""
    attributes = role.attributes(event(role))
    assert role.failure_in(attributes) is None
    if "failure" in role.fields:
        attributes.failure.message = "broken"
    elif "outcome" in role.fields:
        attributes.outcome.failure.message = "broken"
    failure = role.failure_in(attributes)
    has_failure = any(field in role.fields for field in ("failure", "outcome"))
    assert (failure.message if failure else "") == ("broken" if has_failure else "")
    attributes = role.attributes(event(role))
    payload = Payload(data=b"1")
    for name in {"input", "result"} & role.fields:
        value: Any = getattr(attributes, name)
        value.CopyFrom(payload) if isinstance(value, Payload) else value.payloads.append(payload)
    assert {name for name, found in role.payloads_in(attributes) if found == [payload]} == {
        "input",
        "result",
    } & role.fields


@pytest.mark.parametrize("role", CLOSING, ids=lambda role: role.name)
def test_traces_and_searches_agree(role: EventRole) -> None:
    """An event that starts or closes a step does so in traces and in searches, with the same status."""
    steps = IndexedSteps(DataConverter.default)
    builder = RunBuilder("order", "run")
    for part in (opened_by(role), closed(role)):
        steps.add(part)
        builder.add(part)
    (indexed,) = asyncio.run(steps.done())
    assert (indexed.started_id or indexed.closed_id) == 8
    assert (indexed.closed_type or indexed.started_type) == role.number
    if role.number in HANDLERS:
        (step,) = builder.run.steps
        assert (step.kind, step.status, max(step.event_ids)) == (role.kind, role.status, 8)


def test_the_index_reads_every_event_type() -> None:
    """Every step of the table has a kind in the index; single events of the index open no step."""
    for role in ROLES:
        reading = READINGS[role.number]
        assert reading.field == role.attributes_field
        assert reading.kind in range(len(schema.KINDS))
        assert reading.kind not in schema.POINTS or reading.effect == "stands"


def test_every_step_of_the_table_is_handled() -> None:
    """Every event with a kind is a step, except those of the run itself and of its workflow tasks."""
    of_steps = {role.number for role in ROLES if role.kind not in ("workflow", "workflow_task", "event")}
    assert set(HANDLERS) == of_steps
    for role in ROLES:
        RunBuilder("order", "run").add(event(role))  # empty attributes are valid


def test_open_timers_in_either_order() -> None:
    """Fired and canceled timers are not open, in histories read from either end."""
    events = [HistoryEvent(event_id=number, event_type=EventType.EVENT_TYPE_TIMER_STARTED) for number in (1, 2, 3)]
    for number, timer in enumerate(events):
        timer.timer_started_event_attributes.timer_id = str(number)
    fired = HistoryEvent(event_id=4, event_type=EventType.EVENT_TYPE_TIMER_FIRED)
    fired.timer_fired_event_attributes.started_event_id = 1
    canceled = HistoryEvent(event_id=5, event_type=EventType.EVENT_TYPE_TIMER_CANCELED)
    canceled.timer_canceled_event_attributes.started_event_id = 3
    for order in ([*events, fired, canceled], [canceled, fired, *reversed(events)]):
        assert {event_id: timer.timer_id for event_id, timer in open_timers(order).items()} == {2: "1"}


@pytest.mark.parametrize("role", [role for role in CLOSING if role.kind != "update"], ids=lambda role: role.name)
def test_open_steps(role: EventRole) -> None:
    """A step is open until an event closes it; one that starts it does not."""
    events = [opened_by(role), closed(role)]
    assert list(open_steps(events, role.kind)) == ([] if role.effect == "closes" else [7])  # type: ignore[arg-type]
    assert open_steps(events) == {}


def test_close_status_and_next_run() -> None:
    """The closing event gives the status and the next run."""
    made = HistoryEvent(event_type=EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW)
    made.workflow_execution_continued_as_new_event_attributes.new_execution_run_id = "next"
    assert (close_status(made), next_run_id(made)) == ("continued_as_new", "next")
    assert (close_status(HistoryEvent(event_type=999)), next_run_id(HistoryEvent())) == (None, "")  # type: ignore[arg-type]


def test_causes_as_text() -> None:
    """Causes unknown to the SDK have a text too."""
    role = next(role for role in ROLES if role.name == "StartChildWorkflowExecutionFailed")
    attributes = role.attributes(event(role))
    assert cause_words(attributes) == ""
    exists = StartChildWorkflowExecutionFailedCause.START_CHILD_WORKFLOW_EXECUTION_FAILED_CAUSE_WORKFLOW_ALREADY_EXISTS
    attributes.cause = exists
    assert cause_words(attributes) == "workflow already exists"
    attributes.cause = 99
    assert cause_words(attributes) == "cause 99"


def test_a_step_has_its_failure() -> None:
    """A failed activity has the failure of its closing event."""
    role = EVENT_ROLES[EventType.EVENT_TYPE_ACTIVITY_TASK_FAILED]
    failed = closed(role)
    failed.activity_task_failed_event_attributes.failure.CopyFrom(Failure(message="broken"))
    builder = RunBuilder("order", "run")
    for part in (opened_by(role), failed):
        builder.add(part)
    failure = builder.run.steps[0].failure
    assert failure is not None
    assert failure.message == "broken"
