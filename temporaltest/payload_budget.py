"""`@pytest.mark.payload_budget("64KB")`: how large what a test's workflows send may be, measured in their histories."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from .errors import BudgetExceeded

if TYPE_CHECKING:
    import pytest
    from google.protobuf.message import Message

    from .workflows.executions import Ran

NAME = "payload_budget"
LINE = f"{NAME}(largest, total, history): how large a payload, all payloads and the history of a run may be, as '64KB'"
WORDS = ("largest", "total", "history")
NEEDED = "_temporal_case"
MOST_LINES = 10
# What is small by nature, or is not what code passes.
PASSED_OVER = ("search_attributes", "header", "user_metadata")


@dataclass(frozen=True)
class Budget:
    """The most bytes of one payload, of all payloads of a run, and of a run's history; None is no limit."""

    largest: int | None = None
    total: int | None = None
    history: int | None = None


@dataclass(frozen=True)
class Sent:
    """One payload in a history; `size` is that of what was sent, also where it is stored elsewhere."""

    event: int
    what: str
    size: int
    stored: bool


def of(item: pytest.Item) -> Budget | None:
    """The budget of a test: its own mark over those of its class and module; None without a mark.

    Raises:
        pytest.UsageError: A mark has an unknown word or no size, or is on a test that runs no workflow of its own.
    """
    import pytest

    budget = None
    for mark in reversed(list(item.iter_markers(NAME))):
        where = f"{item.nodeid}: mark.{NAME}"
        words = {**dict(zip(WORDS[:1], mark.args, strict=False)), **mark.kwargs}
        if len(mark.args) > 1 or not words or not set(words) <= set(WORDS):
            raise pytest.UsageError(f"{where} takes one size, or words: {', '.join(WORDS)}, as '64KB'")
        if mark in item.own_markers and NEEDED not in getattr(item, "fixturenames", ()):
            raise pytest.UsageError(f"{where} needs a fixture with a namespace of the test's own, as temporal")
        budget = replace(budget or Budget(), **{word: _size(where, word, size) for word, size in words.items()})
    return budget


def _size(where: str, word: str, size: Any) -> int:
    import pytest

    from devserver import DevServerError
    from devserver.payloads import parse_size

    try:
        return parse_size(size, f"{where}({word}=...)")
    except DevServerError as error:
        raise pytest.UsageError(str(error)) from None


def require(budget: Budget, runs: Iterable[Ran]) -> None:
    """See that each run keeps to the budget.

    Raises:
        BudgetExceeded: One does not; says which, and which events are to blame.
    """
    found = [line for ran in runs for line in _beyond(budget, ran)]
    if found:
        raise BudgetExceeded("\n".join(["payloads are larger than this test's budget:", *found]))


def _beyond(budget: Budget, ran: Ran) -> Iterator[str]:
    from devserver.payloads import format_size

    sent = sorted(payloads_of(ran), key=lambda each: each.size, reverse=True)
    run = f"{ran.kind} {ran.id}"
    if budget.largest is not None:
        large = [each for each in sent if each.size > budget.largest]
        if large:
            yield f"  {run}: {len(large)} above {format_size(budget.largest)}"
            yield from _lines(large)
    total = sum(each.size for each in sent)
    if budget.total is not None and total > budget.total:
        yield f"  {run}: {format_size(total)} in all, above {format_size(budget.total)}; the largest:"
        yield from _lines(sent)
    history = sum(event.ByteSize() for event in ran.history.events)
    if budget.history is not None and history > budget.history:
        yield f"  {run}: a history of {format_size(history)}, above {format_size(budget.history)}; the largest:"
        yield from _lines([each for each in sent if not each.stored])


def _lines(sent: Sequence[Sent]) -> Iterator[str]:
    from devserver.payloads import format_size

    for each in sent[:MOST_LINES]:
        where = ", stored outside the history" if each.stored else ""
        yield f"    event {each.event}: {each.what}: {format_size(each.size)}{where}"
    if len(sent) > MOST_LINES:
        yield f"    and {len(sent) - MOST_LINES} more"


def payloads_of(ran: Ran) -> Iterator[Sent]:
    """What the run sent and was sent, in the order of its history."""
    events = {event.event_id: event for event in ran.history.events}
    for event in ran.history.events:
        kind = event.WhichOneof("attributes")
        if kind is None:
            continue
        attributes = getattr(event, kind)
        for field, payload in _inside(attributes, ""):
            size = sum(each.size_bytes for each in payload.external_payloads)
            what = f"{field} of {_who(attributes, events)}"
            yield Sent(event.event_id, what, size or payload.ByteSize(), stored=bool(size))


def _inside(message: Message, field: str) -> Iterator[tuple[str, Any]]:
    """The payloads in a message, with the field of the event that they are in."""
    from temporalio.api.common.v1 import Payload

    if isinstance(message, Payload):
        yield field, message
        return
    for descriptor, value in message.ListFields():
        if descriptor.name in PASSED_OVER or descriptor.message_type is None:
            continue
        for each in _each(value):
            yield from _inside(each, field or descriptor.name)


def _each(value: Any) -> Iterator[Message]:
    if hasattr(value, "ListFields"):
        yield value
    elif hasattr(value, "values"):
        yield from (each for each in value.values() if hasattr(each, "ListFields"))
    else:
        yield from value


def _who(attributes: Any, events: dict[int, Any]) -> str:
    """Whose the payload is: a name in the event itself, or in the one that it follows on."""
    for field, word in (
        ("activity_type", "the activity"),
        ("workflow_type", "the workflow"),
        ("signal_name", "the signal"),
        ("marker_name", "the marker"),
        ("operation", "the operation"),
    ):
        value = getattr(attributes, field, None)
        name = getattr(value, "name", value)
        if name:
            return f"{word} {name}"
    for field in ("scheduled_event_id", "initiated_event_id"):
        before = events.get(getattr(attributes, field, 0))
        if before is not None:
            return _who(getattr(before, before.WhichOneof("attributes")), {})
    update = getattr(getattr(attributes, "accepted_request", None), "input", None)
    return f"the update {update.name}" if update is not None and update.name else "the workflow"
