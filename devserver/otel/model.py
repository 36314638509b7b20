"""What a span is before it is sent: its ids, its times, why it failed, and what happened in between."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

Value = str | int | float | bool


@dataclass(frozen=True)
class SpanEvent:
    """Something that happened at one moment of a span."""

    name: str
    at: datetime
    attributes: dict[str, Value] = field(default_factory=dict)


@dataclass(frozen=True)
class HistorySpan:
    """A span as OpenTelemetry means it, before it is sent.

    Attributes:
        trace_id, span_id, parent_id: 128 and 64 bits; the same each time. `parent_id` is None at the top of a tree.
        name: `workflow Order`, `run Order`, `activity charge`, `timer`, `child Delivery`, `update change_city`: few
            different ones.
        kind: `client` for what somebody else works for, `internal` else.
        start, end: As the server wrote them, in UTC; `end` is None while it goes on.
        error: Why it failed, one line; None where it did not.
        attributes: Its ids and figures, named `temporal.*`.
        events: What happened in between.
    """

    trace_id: int
    span_id: int
    parent_id: int | None
    name: str
    start: datetime
    end: datetime | None
    kind: Literal["internal", "client"] = "internal"
    error: str | None = None
    attributes: dict[str, Value] = field(default_factory=dict)
    events: tuple[SpanEvent, ...] = ()

    @property
    def open(self) -> bool:
        """Whether what it tells of goes on."""
        return self.end is None
