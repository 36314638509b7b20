"""Which events make a step: what each event type opens, starts or closes, and where its name is."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from temporalio.api.enums.v1 import EventType

KINDS = (
    "event",
    "workflow",
    "workflow_task",
    "activity",
    "timer",
    "child",
    "nexus",
    "update",
    "signal",
    "marker",
    "external",
    "local_activity",
)
EVENT, WORKFLOW, TASK, ACTIVITY, TIMER, CHILD, NEXUS, UPDATE, SIGNAL, MARKER, EXTERNAL, LOCAL = range(len(KINDS))
POINTS = (EVENT, SIGNAL, MARKER)
OPENS, STARTS, CLOSES, POINT = range(4)

Read = Callable[[Any], str]
Opening = Callable[[Any, Mapping[str, int]], int]


@dataclass(frozen=True)
class Shape:
    """How to read one event type: `of` says which event has opened the step that it belongs to."""

    field: str
    kind: int
    part: int
    of: Opening | None = None
    name: Read | None = None
    key: Read | None = None


SHAPES: dict[int, Shape] = {}


def _add(
    event: str, kind: int, part: int, of: Opening | None = None, name: Read | None = None, key: Any = None
) -> None:
    number = EventType.Value(f"EVENT_TYPE_{event}")
    SHAPES[number] = Shape(f"{event.lower()}_event_attributes", kind, part, of, name, key)


def _by(field: str) -> Opening:
    return lambda attributes, _: int(getattr(attributes, field))


def _first(_: Any, __: Mapping[str, int]) -> int:
    return 1


def _update_of(attributes: Any, updates: Mapping[str, int]) -> int:
    update_id = attributes.meta.update_id if hasattr(attributes, "meta") else ""
    return updates.get(update_id or getattr(attributes, "protocol_instance_id", ""), -1)


_add("WORKFLOW_EXECUTION_STARTED", WORKFLOW, OPENS, name=lambda a: a.workflow_type.name, key=lambda a: a.workflow_id)
for _end in ("COMPLETED", "FAILED", "TIMED_OUT", "CANCELED", "TERMINATED", "CONTINUED_AS_NEW"):
    _add(f"WORKFLOW_EXECUTION_{_end}", WORKFLOW, CLOSES, _first)

_add("WORKFLOW_TASK_SCHEDULED", TASK, OPENS)
_add("WORKFLOW_TASK_STARTED", TASK, STARTS, _by("scheduled_event_id"))
for _end in ("COMPLETED", "FAILED", "TIMED_OUT"):
    _add(f"WORKFLOW_TASK_{_end}", TASK, CLOSES, _by("scheduled_event_id"))

_add("ACTIVITY_TASK_SCHEDULED", ACTIVITY, OPENS, name=lambda a: a.activity_type.name, key=lambda a: a.activity_id)
_add("ACTIVITY_TASK_STARTED", ACTIVITY, STARTS, _by("scheduled_event_id"))
for _end in ("COMPLETED", "FAILED", "TIMED_OUT", "CANCELED"):
    _add(f"ACTIVITY_TASK_{_end}", ACTIVITY, CLOSES, _by("scheduled_event_id"))
_add("ACTIVITY_TASK_CANCEL_REQUESTED", EVENT, POINT, _by("scheduled_event_id"))

_add("TIMER_STARTED", TIMER, OPENS, key=lambda a: a.timer_id)
_add("TIMER_FIRED", TIMER, CLOSES, _by("started_event_id"))
_add("TIMER_CANCELED", TIMER, CLOSES, _by("started_event_id"))

_add(
    "START_CHILD_WORKFLOW_EXECUTION_INITIATED",
    CHILD,
    OPENS,
    name=lambda a: a.workflow_type.name,
    key=lambda a: a.workflow_id,
)
_add("CHILD_WORKFLOW_EXECUTION_STARTED", CHILD, STARTS, _by("initiated_event_id"))
_add("START_CHILD_WORKFLOW_EXECUTION_FAILED", CHILD, CLOSES, _by("initiated_event_id"))
for _end in ("COMPLETED", "FAILED", "TIMED_OUT", "CANCELED", "TERMINATED"):
    _add(f"CHILD_WORKFLOW_EXECUTION_{_end}", CHILD, CLOSES, _by("initiated_event_id"))

_add("NEXUS_OPERATION_SCHEDULED", NEXUS, OPENS, name=lambda a: f"{a.service}.{a.operation}", key=lambda a: a.endpoint)
_add("NEXUS_OPERATION_STARTED", NEXUS, STARTS, _by("scheduled_event_id"))
for _end in ("COMPLETED", "FAILED", "TIMED_OUT", "CANCELED"):
    _add(f"NEXUS_OPERATION_{_end}", NEXUS, CLOSES, _by("scheduled_event_id"))
for _end in ("", "_COMPLETED", "_FAILED"):
    _event = f"NEXUS_OPERATION_CANCEL_REQUEST{_end or 'ED'}"
    _add(_event, EVENT, POINT, _by("scheduled_event_id"))

_add(
    "WORKFLOW_EXECUTION_UPDATE_ADMITTED",
    UPDATE,
    OPENS,
    name=lambda a: a.request.input.name,
    key=lambda a: a.request.meta.update_id,
)
_add(
    "WORKFLOW_EXECUTION_UPDATE_ACCEPTED",
    UPDATE,
    STARTS,
    _update_of,
    name=lambda a: a.accepted_request.input.name,
    key=lambda a: a.accepted_request.meta.update_id or a.protocol_instance_id,
)
_add("WORKFLOW_EXECUTION_UPDATE_COMPLETED", UPDATE, CLOSES, _update_of)
_add("WORKFLOW_EXECUTION_UPDATE_REJECTED", UPDATE, CLOSES, _update_of, name=lambda a: a.rejected_request.input.name)

_add("WORKFLOW_EXECUTION_SIGNALED", SIGNAL, POINT, name=lambda a: a.signal_name)
_add("MARKER_RECORDED", MARKER, POINT)

for _what in ("SIGNAL_EXTERNAL_WORKFLOW_EXECUTION", "REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION"):
    _named: Read | None = (lambda a: a.signal_name) if _what.startswith("SIGNAL") else None
    _add(f"{_what}_INITIATED", EXTERNAL, OPENS, name=_named, key=lambda a: a.workflow_execution.workflow_id)
    _add(f"{_what}_FAILED", EXTERNAL, CLOSES, _by("initiated_event_id"))
_add("EXTERNAL_WORKFLOW_EXECUTION_SIGNALED", EXTERNAL, CLOSES, _by("initiated_event_id"))
_add("EXTERNAL_WORKFLOW_EXECUTION_CANCEL_REQUESTED", EXTERNAL, CLOSES, _by("initiated_event_id"))

for _what, _number in EventType.items():
    if _number and _number not in SHAPES:
        _add(_what.removeprefix("EVENT_TYPE_"), EVENT, POINT)


@functools.cache
def fields_of(descriptor: Any) -> frozenset[str]:
    """The names of a message's fields."""
    return frozenset(field.name for field in descriptor.fields)


def build_of(attributes: Any, fields: frozenset[str]) -> str:
    """The build id of the worker that it tells of, or nothing."""
    if "deployment_version" in fields and attributes.deployment_version.build_id:
        return str(attributes.deployment_version.build_id)
    if "worker_version" in fields:
        return str(attributes.worker_version.build_id)
    return ""
