"""How the index reads each event type: the event table, with all names looked up once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

from temporalio.api.enums.v1 import EventType

from ..history.event_roles import EVENT_ROLES, EventRole
from . import schema

MARKER_RECORDED = int(EventType.EVENT_TYPE_MARKER_RECORDED)
# Kinds of steps in the event table that the index has under another name; markers but the recorded ones are events.
KINDS = {"workflow_task": schema.TASK, "signal_out": schema.EXTERNAL, "cancel_out": schema.EXTERNAL}


@dataclass(frozen=True, slots=True)
class EventReading:
    """How the index reads one event type: the row of the event table, with all names looked up."""

    field: str
    kind: int
    effect: str
    opener: Callable[[Any], int] | None
    name: Callable[[Any], str] | None
    key: Callable[[Any], str] | None
    fields: frozenset[str]


def _reading(role: EventRole) -> EventReading:
    kind = KINDS.get(role.kind)
    if kind is None:
        kind = schema.KINDS.index(role.kind) if role.kind in schema.KINDS else schema.EVENT
    if kind == schema.MARKER and role.number != MARKER_RECORDED:
        kind = schema.EVENT
    alone = kind in schema.POINTS
    opener: Callable[[Any], int] | None = attrgetter(role.opener) if role.opener else None
    if role.kind == "workflow" and role.effect == "closes":
        opener = _first_event
    return EventReading(
        field=role.attributes_field,
        kind=kind,
        effect="stands" if alone else role.effect,
        opener=opener if kind != schema.UPDATE else None,
        name=_nexus_name if kind == schema.NEXUS and role.step_name else role.name_in if role.step_name else None,
        key=role.id_in if role.step_id else None,
        fields=role.fields,
    )


def _first_event(_: Any) -> int:
    return 1


def _nexus_name(attributes: Any) -> str:
    return f"{attributes.service}.{attributes.operation}"


READINGS = {number: _reading(role) for number, role in EVENT_ROLES.items()}
