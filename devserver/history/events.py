"""What single events say: their attributes, causes, open timers, and how they close a run."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from temporalio.api.history.v1 import HistoryEvent, TimerStartedEventAttributes

from ..client.statuses import RunStatus
from .event_roles import EVENT_ROLES
from .model import StepKind


def attributes_of(event: HistoryEvent) -> Any:
    """The attributes of any event; None for a type that has none, or that this SDK does not know."""
    field = event.WhichOneof("attributes")
    return getattr(event, field) if field else None


def cause_words(attributes: Any) -> str:
    """The `cause` in the attributes of an event, in words: `workflow already exists`; empty if it has none."""
    cause = attributes.cause
    if isinstance(cause, str) or not cause:
        return cause or ""
    names = attributes.DESCRIPTOR.fields_by_name["cause"].enum_type.values_by_number
    name = names[cause].name if cause in names else f"cause {cause}"
    return name.partition("_CAUSE_")[2].replace("_", " ").lower() or name


def open_timers(events: Iterable[HistoryEvent]) -> dict[int, TimerStartedEventAttributes]:
    """Timers that were started in these events and did not end in them, by the id of the event that started them."""
    return {number: event.timer_started_event_attributes for number, event in open_steps(events, "timer").items()}


def open_steps(events: Iterable[HistoryEvent], *kinds: StepKind) -> dict[int, HistoryEvent]:
    """The events that opened a step of these kinds which did not end in these events, by their ids.

    The events may come in either order.
    """
    opened: dict[int, HistoryEvent] = {}
    ended: set[int] = set()
    for event in events:
        role = EVENT_ROLES.get(event.event_type)
        if role is None or role.kind not in kinds:
            continue
        if role.effect == "opens":
            opened[event.event_id] = event
        elif role.effect == "closes":
            ended.add(role.opener_in(role.attributes(event)))
    return {event_id: event for event_id, event in opened.items() if event_id not in ended}


def close_status(event: HistoryEvent) -> RunStatus | None:
    """The status of the run that an event closed; None if it closed none."""
    role = EVENT_ROLES.get(event.event_type)
    return role.status if role is not None and role.kind == "workflow" and role.effect == "closes" else None  # type: ignore[return-value]


def next_run_id(event: HistoryEvent) -> str:
    """The run that follows the one which an event closed (continue-as-new, retry, cron); empty if there is none."""
    return str(getattr(attributes_of(event), "new_execution_run_id", ""))
