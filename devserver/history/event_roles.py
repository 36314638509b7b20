"""The table of event types: what each event does to the step that it belongs to, and where it keeps what.

`EVENT_ROLES` has a row for every event type that the installed SDK knows. All that reads events reads this table: the
builder of runs (`step_builder`, `run_builder`), the index of `devserver search`, the findings of `devserver stuck`, and
the reports of the pytest plugin. To support a new event type, add a row.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from operator import attrgetter
from typing import Any, Literal

from temporalio.api.common.v1 import Payload, Payloads
from temporalio.api.enums.v1 import EventType
from temporalio.api.failure.v1 import Failure
from temporalio.api.history.v1 import HistoryEvent

from ..client.statuses import RunStatus
from ..errors import OptionError
from .model import StepKind, StepStatus

PREFIX = "EVENT_TYPE_"

# What an event does: it opens a step, starts it, closes it, or stands alone (and belongs to a step at most).
Effect = Literal["opens", "starts", "closes", "stands"]
# Steps of all kinds, the run itself, its workflow tasks, and events that belong to nothing.
EventKind = StepKind | Literal["workflow", "workflow_task", "event"]


@dataclass(frozen=True)
class EventRole:
    """One event type.

    Attributes:
        number: As in `temporalio.api.enums.v1.EventType`.
        name: As Temporal's JSON writes it: `ActivityTaskScheduled`.
        kind: Of the step that the event belongs to.
        effect: What the event does to that step.
        opener: The attribute with the id of the event that opened the step; empty if there is none, as for updates,
            which are found by their own id.
        status: Of the step after the event; None: it stays as it is. Of a `workflow`, the status of the run.
        step_name, step_id: Where the step's name and id are in the attributes, dotted; empty if they are not there.
    """

    number: int
    name: str
    kind: EventKind = "event"
    effect: Effect = "stands"
    opener: str = ""
    status: StepStatus | RunStatus | None = None
    step_name: str = ""
    step_id: str = ""

    @cached_property
    def attributes_field(self) -> str:
        """The field of a `HistoryEvent` that has the attributes of this type."""
        return f"{re.sub(r'(?<!^)(?=[A-Z])', '_', self.name).lower()}_event_attributes"

    @cached_property
    def fields(self) -> frozenset[str]:
        """The names of all attributes."""
        return frozenset(field.name for field in self.attributes(HistoryEvent()).DESCRIPTOR.fields)

    def attributes(self, event: HistoryEvent) -> Any:
        """The attributes of an event of this type."""
        return getattr(event, self.attributes_field)

    def name_in(self, attributes: Any) -> str:
        """The step's name; empty if the attributes do not have it."""
        return self._name(attributes) if self.step_name else ""

    def id_in(self, attributes: Any) -> str:
        """The step's id; empty if the attributes do not have it."""
        return self._id(attributes) if self.step_id else ""

    def opener_in(self, attributes: Any) -> int:
        """The id of the event that opened the step; 0 if the attributes do not have it."""
        return getattr(attributes, self.opener) if self.opener else 0

    def failure_in(self, attributes: Any) -> Failure | None:
        """What the step failed with."""
        if "failure" in self.fields:
            return attributes.failure if attributes.HasField("failure") else None
        if "outcome" in self.fields and attributes.outcome.HasField("failure"):
            return attributes.outcome.failure  # type: ignore[no-any-return]
        return None

    def payloads_in(self, attributes: Any) -> Iterator[tuple[Literal["input", "result"], list[Payload]]]:
        """The step's input and result, as far as the attributes have them."""
        request = next(
            (name for name in ("request", "accepted_request", "rejected_request") if name in self.fields), ""
        )
        if request:
            yield "input", list(getattr(attributes, request).input.args.payloads)
        if "outcome" in self.fields and attributes.outcome.HasField("success"):
            yield "result", list(attributes.outcome.success.payloads)
        for name in ("input", "result"):
            if name in self.fields and attributes.HasField(name):
                value: Payloads | Payload = getattr(attributes, name)
                yield name, list(value.payloads) if isinstance(value, Payloads) else [value]

    @cached_property
    def _name(self) -> Any:
        return attrgetter(self.step_name)

    @cached_property
    def _id(self) -> Any:
        return attrgetter(self.step_id)


def event_name(number: int) -> str:
    """The name of an event type, `ActivityTaskFailed`; `EventType99` for one that this SDK does not know."""
    role = EVENT_ROLES.get(number)
    return role.name if role is not None else f"EventType{number}"


def event_number(text: str) -> int:
    """The event type of a name in any usual spelling: `ActivityTaskFailed`, `activity_task_failed`, `EVENT_TYPE_...`.

    Raises:
        OptionError: There is no such event type; the hint has the nearest names.
    """
    plain = re.sub(r"[^a-z0-9]", "", text.lower()).removeprefix("eventtype")
    if plain in _NUMBERS:
        return _NUMBERS[plain]
    if plain.isdecimal():
        return int(plain)
    containing = [name for name in _NUMBERS if plain and plain in name]
    near = difflib.get_close_matches(plain, _NUMBERS, n=3) or containing[:6]
    names = ", ".join(event_name(_NUMBERS[name]) for name in near)
    link = "https://docs.temporal.io/references/events"
    raise OptionError(
        f"there is no event type {text}", hint=f"did you mean {names}?" if names else f"all event types: {link}"
    )


SCHEDULED, STARTED, INITIATED = "scheduled_event_id", "started_event_id", "initiated_event_id"


def _closing(
    prefix: str, kind: EventKind, opener: str, *statuses: StepStatus | RunStatus
) -> dict[str, tuple[Any, ...]]:
    """The rows of the events that close a step, each named after the status: `ACTIVITY_TASK_FAILED`."""
    return {f"{prefix}_{status.upper()}": (kind, "closes", opener, status) for status in statuses}


# Event types with their kind, effect, opener, status, and where the step's name and id are.
_ROWS: dict[str, tuple[Any, ...]] = {
    "WORKFLOW_EXECUTION_STARTED": ("workflow", "opens", "", "running", "workflow_type.name", "workflow_id"),
    **_closing(
        "WORKFLOW_EXECUTION",
        "workflow",
        "",
        "completed",
        "failed",
        "timed_out",
        "canceled",
        "terminated",
        "continued_as_new",
    ),
    "WORKFLOW_TASK_SCHEDULED": ("workflow_task", "opens"),
    "WORKFLOW_TASK_STARTED": ("workflow_task", "starts", SCHEDULED, "running"),
    **_closing("WORKFLOW_TASK", "workflow_task", SCHEDULED, "completed", "failed", "timed_out"),
    "ACTIVITY_TASK_SCHEDULED": ("activity", "opens", "", "scheduled", "activity_type.name", "activity_id"),
    "ACTIVITY_TASK_STARTED": ("activity", "starts", SCHEDULED, "running"),
    **_closing("ACTIVITY_TASK", "activity", SCHEDULED, "completed", "failed", "timed_out", "canceled"),
    "ACTIVITY_TASK_CANCEL_REQUESTED": ("event", "stands", SCHEDULED),
    "ACTIVITY_PROPERTIES_MODIFIED_EXTERNALLY": ("event", "stands", SCHEDULED),
    "TIMER_STARTED": ("timer", "opens", "", "running", "", "timer_id"),
    "TIMER_FIRED": ("timer", "closes", STARTED, "completed"),
    "TIMER_CANCELED": ("timer", "closes", STARTED, "canceled"),
    "START_CHILD_WORKFLOW_EXECUTION_INITIATED": (
        *("child", "opens", "", "scheduled"),
        *("workflow_type.name", "workflow_id"),
    ),
    "START_CHILD_WORKFLOW_EXECUTION_FAILED": ("child", "closes", INITIATED, "failed"),
    "CHILD_WORKFLOW_EXECUTION_STARTED": ("child", "starts", INITIATED, "running"),
    **_closing(
        "CHILD_WORKFLOW_EXECUTION", "child", INITIATED, "completed", "failed", "timed_out", "canceled", "terminated"
    ),
    "NEXUS_OPERATION_SCHEDULED": ("nexus", "opens", "", "scheduled", "operation", "endpoint"),
    "NEXUS_OPERATION_STARTED": ("nexus", "starts", SCHEDULED, "running"),
    **_closing("NEXUS_OPERATION", "nexus", SCHEDULED, "completed", "failed", "timed_out", "canceled"),
    "NEXUS_OPERATION_CANCEL_REQUESTED": ("event", "stands", SCHEDULED),
    "NEXUS_OPERATION_CANCEL_REQUEST_COMPLETED": ("event", "stands", SCHEDULED),
    "NEXUS_OPERATION_CANCEL_REQUEST_FAILED": ("event", "stands", SCHEDULED),
    "WORKFLOW_EXECUTION_UPDATE_ADMITTED": (
        *("update", "opens", "", "scheduled"),
        *("request.input.name", "request.meta.update_id"),
    ),
    "WORKFLOW_EXECUTION_UPDATE_ACCEPTED": (
        *("update", "starts", "", "running"),
        *("accepted_request.input.name", "accepted_request.meta.update_id"),
    ),
    "WORKFLOW_EXECUTION_UPDATE_REJECTED": (
        *("update", "closes", "", "rejected"),
        *("rejected_request.input.name", "rejected_request.meta.update_id"),
    ),
    "WORKFLOW_EXECUTION_UPDATE_COMPLETED": ("update", "closes", "accepted_event_id", "completed", "", "meta.update_id"),
    "WORKFLOW_EXECUTION_SIGNALED": ("signal", "stands", "", "completed", "signal_name"),
    "SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED": (
        *("signal_out", "opens", "", "scheduled"),
        *("signal_name", "workflow_execution.workflow_id"),
    ),
    "SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED": ("signal_out", "closes", INITIATED, "failed"),
    "EXTERNAL_WORKFLOW_EXECUTION_SIGNALED": ("signal_out", "closes", INITIATED, "completed"),
    "WORKFLOW_EXECUTION_CANCEL_REQUESTED": ("cancel", "stands", "", "completed"),
    "REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED": (
        *("cancel_out", "opens", "", "scheduled"),
        *("", "workflow_execution.workflow_id"),
    ),
    "REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_FAILED": ("cancel_out", "closes", INITIATED, "failed"),
    "EXTERNAL_WORKFLOW_EXECUTION_CANCEL_REQUESTED": ("cancel_out", "closes", INITIATED, "completed"),
    "MARKER_RECORDED": ("marker", "stands", "", "completed"),
    "UPSERT_WORKFLOW_SEARCH_ATTRIBUTES": ("marker", "stands", "", "completed"),
    "WORKFLOW_PROPERTIES_MODIFIED": ("marker", "stands", "", "completed"),
    "WORKFLOW_EXECUTION_OPTIONS_UPDATED": ("marker", "stands", "", "completed"),
    "WORKFLOW_EXECUTION_PAUSED": ("pause", "opens", "", "paused"),
    "WORKFLOW_EXECUTION_UNPAUSED": ("pause", "closes", "", "completed"),
}


def _role(name: str, number: int) -> EventRole:
    words = "".join(word.capitalize() for word in name.split("_"))
    return EventRole(number, words, *_ROWS.get(name, ()))


EVENT_ROLES: dict[int, EventRole] = {
    number: _role(name.removeprefix(PREFIX), number) for name, number in EventType.items() if number
}
_NUMBERS = {role.name.lower(): number for number, role in EVENT_ROLES.items()}
WORKFLOW_TASK_EVENTS = frozenset(number for number, role in EVENT_ROLES.items() if role.kind == "workflow_task")
