"""`@pytest.mark.payload_budget("64KB")`: measures what a test's workflows sent, in their histories."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from temporalio.api.common.v1 import Payload

from devserver.payloads import format_size

from ..errors import BudgetExceeded

if TYPE_CHECKING:
    from google.protobuf.message import Message

    from ..requirements import PayloadBudget
    from ..workflows.executions import RunHistory

MAX_LINES = 10
# These are small by nature, or no argument or result of user code.
IGNORED_FIELDS = ("search_attributes", "header", "user_metadata")
NAME_FIELDS = (
    ("activity_type", "the activity"),
    ("workflow_type", "the workflow"),
    ("signal_name", "the signal"),
    ("marker_name", "the marker"),
    ("operation", "the operation"),
)


@dataclass(frozen=True)
class SentPayload:
    """One payload in a history. `size` is in bytes as it was sent, also where the payload is stored elsewhere."""

    event: int
    label: str
    size: int
    stored: bool


def require_within(budget: PayloadBudget, runs: Iterable[RunHistory]) -> None:
    """Check that each run stays within the budget.

    Raises:
        BudgetExceeded: A run does not; the message lists the largest payloads of it.
    """
    lines = [line for run in runs for line in _excess(budget, run)]
    if lines:
        raise BudgetExceeded("\n".join(["payloads are larger than this test's budget:", *lines]))


def _excess(budget: PayloadBudget, run: RunHistory) -> Iterator[str]:
    payloads = sorted(payloads_of(run), key=lambda payload: payload.size, reverse=True)
    name = f"{run.workflow_type} {run.id}"
    if budget.largest is not None:
        large = [payload for payload in payloads if payload.size > budget.largest]
        if large:
            yield f"  {name}: {len(large)} above {format_size(budget.largest)}"
            yield from _lines(large)
    total = sum(payload.size for payload in payloads)
    if budget.total is not None and total > budget.total:
        yield f"  {name}: {format_size(total)} in total, above {format_size(budget.total)}; the largest:"
        yield from _lines(payloads)
    history = sum(event.ByteSize() for event in run.history.events)
    if budget.history is not None and history > budget.history:
        yield f"  {name}: a history of {format_size(history)}, above {format_size(budget.history)}; the largest:"
        yield from _lines([payload for payload in payloads if not payload.stored])


def _lines(payloads: Sequence[SentPayload]) -> Iterator[str]:
    for payload in payloads[:MAX_LINES]:
        where = ", stored outside the history" if payload.stored else ""
        yield f"    event {payload.event}: {payload.label}: {format_size(payload.size)}{where}"
    if len(payloads) > MAX_LINES:
        yield f"    and {len(payloads) - MAX_LINES} more"


def payloads_of(run: RunHistory) -> Iterator[SentPayload]:
    """The payloads that the run sent and received, in the order of its history."""
    events = {event.event_id: event for event in run.history.events}
    for event in run.history.events:
        kind = event.WhichOneof("attributes")
        if kind is None:
            continue
        attributes = getattr(event, kind)
        for field, payload in _payloads_in(attributes, ""):
            external = sum(reference.size_bytes for reference in payload.external_payloads)
            label = f"{field} of {_owner(attributes, events)}"
            yield SentPayload(event.event_id, label, external or payload.ByteSize(), stored=bool(external))


def _payloads_in(message: Message, field: str) -> Iterator[tuple[str, Any]]:
    """The payloads in a message, each with the top-level field of the event that contains it."""
    if isinstance(message, Payload):
        yield field, message
        return
    for descriptor, value in message.ListFields():
        if descriptor.name in IGNORED_FIELDS or descriptor.message_type is None:
            continue
        for part in _messages(value):
            yield from _payloads_in(part, field or descriptor.name)


def _messages(value: Any) -> Iterator[Message]:
    if hasattr(value, "ListFields"):
        yield value
    elif hasattr(value, "values"):
        yield from (entry for entry in value.values() if hasattr(entry, "ListFields"))
    else:
        yield from value


def _owner(attributes: Any, events: dict[int, Any]) -> str:
    """The activity, workflow, signal, ... of a payload: named in the event itself or in the event it refers to."""
    for field, noun in NAME_FIELDS:
        value = getattr(attributes, field, None)
        name = getattr(value, "name", value)
        if name:
            return f"{noun} {name}"
    for field in ("scheduled_event_id", "initiated_event_id"):
        cause = events.get(getattr(attributes, field, 0))
        if cause is not None:
            return _owner(getattr(cause, cause.WhichOneof("attributes")), {})
    update = getattr(getattr(attributes, "accepted_request", None), "input", None)
    return f"the update {update.name}" if update is not None and update.name else "the workflow"
