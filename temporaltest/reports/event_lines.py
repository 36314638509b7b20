"""A history with one line per event that matters to a person."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice

from temporalio.api.common.v1 import Payloads
from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.converter import DataConverter

from devserver.client import chain, summary, to_datetime
from devserver.history import WORKFLOW_TASK_EVENTS, attributes_of
from devserver.replay import event_text

from .tracebacks import cut

FAILED_TASKS = (EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED, EventType.EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT)
QUIET_EVENTS = WORKFLOW_TASK_EVENTS.difference(FAILED_TASKS)
MAX_VALUE = 80
MAX_BYTES = 10_000


async def event_lines(events: Sequence[HistoryEvent], began: float, converter: DataConverter) -> list[str]:
    """One line per event but for workflow tasks that succeeded. `began` is the time of the first event, in seconds."""
    shown = [event for event in events if event.event_type not in QUIET_EVENTS]
    return [f"{e.event_id:>5} {seconds(e) - began:>+9.3f}s  {await _line(e, converter)}" for e in shown]


def seconds(event: HistoryEvent) -> float:
    """The event's time, in seconds since 1970."""
    return to_datetime(event.event_time).timestamp()


async def _line(event: HistoryEvent, converter: DataConverter) -> str:
    attributes = attributes_of(event)
    line = event_text(event)
    for name in ("input", "result"):
        payloads = getattr(attributes, name, None)
        if isinstance(payloads, Payloads) and payloads.payloads:
            line += f" {name} {await _values(payloads, converter)}"
    failure = getattr(attributes, "failure", None)
    if failure is not None and failure.message:
        line += ": " + ", caused by ".join(cut(summary(cause), 300) for cause in islice(chain(failure), 2))
    return line


async def _values(payloads: Payloads, converter: DataConverter) -> str:
    if payloads.ByteSize() > MAX_BYTES:
        return f"<{payloads.ByteSize():,} bytes>"
    try:
        values = await converter.decode(payloads.payloads)
    except Exception as error:  # noqa: BLE001 - decoding may be what the test is about
        return f"<cannot be decoded: {cut(str(error), 60)}>"
    return ", ".join(cut(repr(value), MAX_VALUE) for value in values)
