"""Spans before they are sent, and their ids.

Ids derive from ids that Temporal never changes, so that a second export sends the same spans.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Literal

Value = str | int | float | bool


@dataclass(frozen=True)
class SpanEvent:
    """Something that happened at one time of a span."""

    name: str
    at: datetime
    attributes: dict[str, Value] = field(default_factory=dict)


@dataclass(frozen=True)
class HistorySpan:
    """A span of OpenTelemetry.

    Attributes:
        trace_id, span_id, parent_id: Numbers of 128 and 64 bits; `parent_id` is None at the top of a tree.
        name: `workflow Order`, `run Order`, `activity charge`, `timer`, `child Delivery`, `update change_city`.
        kind: `client` if somebody else does the work, else `internal`.
        start, end: In UTC, as the server wrote them; `end` is None while it is open.
        error: Why it failed, one line; None if it did not.
        attributes: Ids and numbers, named `temporal.*`.
        events: What happened between start and end.
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
        """Whether it has not ended."""
        return self.end is None


def trace_id(namespace: str, workflow_id: str, first_run_id: str) -> int:
    """The id of the trace of a tree of workflows, from the id of its root and the first run of the root's chain."""
    return _bits(16, "trace", namespace, workflow_id, first_run_id)


def workflow_span_id(namespace: str, workflow_id: str, first_run_id: str) -> int:
    """The id of the span of a workflow over all its runs."""
    return _bits(8, "workflow", namespace, workflow_id, first_run_id)


def run_span_id(run_id: str) -> int:
    """The id of the span of one run."""
    return _bits(8, "run", run_id)


def step_span_id(run_id: str, event_id: int) -> int:
    """The id of the span of a step, from the event that opened it."""
    return _bits(8, "step", run_id, str(event_id))


def _bits(size: int, *parts: str) -> int:
    # OpenTelemetry reads an id of zero as "none".
    return int.from_bytes(sha256("\0".join(parts).encode()).digest()[:size], "big") or 1
