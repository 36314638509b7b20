"""Hits of a search: one step of one run, as a record that needs no server."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from temporalio.api.enums.v1 import EventType

from ..client.timestamps import EPOCH
from ..history.event_roles import EVENT_ROLES, event_name
from . import schema
from .index import Row, RunFacts

TIMER_FIRED = int(EventType.EVENT_TYPE_TIMER_FIRED)


@dataclass(frozen=True)
class Hit:
    """A step that matches.

    Attributes:
        at: The time of its event, UTC.
        kind: One of `schema.KINDS`.
        name: Its type (of activities, children, workflows) or name; empty if it has none.
        id: The activity's, timer's, child's or update's id; empty if it has none.
        event, event_id: The event that the search is for, else the step's last one.
        state: How it closed (`completed`, `failed`, `timed_out`, `canceled`, ...); `waiting` or `running` if it is
            open, `unfinished` if the run closed first, `event` for a single event.
        attempt: The last attempt, of an open step the current or next one; None if it has none.
        seconds: From its first event to its last, or until now; None for a single event, and if it is unknown: the Go
            and Java SDKs do not record how long a local activity took.
        worker, build: The worker's identity and build id; empty if unknown.
        note: The summary from the workflow's code.
        starts: When a workflow that waits for its start delay or cron schedule begins, else None.
        last_failure, failure: The failure in one line, and all lines; empty if there was none.
    """

    at: datetime
    workflow_id: str
    run_id: str
    workflow_type: str
    kind: str
    name: str
    id: str
    event: str
    event_id: int
    state: str
    attempt: int | None
    seconds: float | None
    worker: str
    build: str
    last_failure: str
    failure: Sequence[str]
    note: str = ""
    starts: datetime | None = None


def hit_of(run: RunFacts, row: Row, events: Sequence[int], now: datetime) -> Hit:
    """A row of `Index.find` as a record; `events` are the event types of the query."""
    (_, _, number, kind, name, key, *_), step = row, _Row(row)
    at, event, event_id = step.shown(events)
    return Hit(
        at=EPOCH + timedelta(microseconds=at),
        workflow_id=run.workflow_id,
        run_id=run.run_id,
        workflow_type=run.workflow_type,
        kind=schema.KINDS[int(str(kind))],
        name=str(name or ""),
        id=str(key or ""),
        event=event_name(event),
        event_id=event_id or int(str(number)),
        state=step.state,
        attempt=step.attempt or None,
        seconds=step.seconds(now),
        worker=step.worker,
        build=step.build,
        last_failure=step.line,
        failure=tuple(step.text.splitlines()),
        note=step.note,
        starts=step.starts(now),
    )


class _Row:
    """The columns of a row by their names."""

    def __init__(self, row: Any) -> None:
        (_, _, self.id, self.kind, _, _, self.opened_type, self.opened_at, *rest) = row
        (self.started_id, self.started_type, self.started_at, self.closed_id, self.closed_type, *rest) = rest
        self.closed_at, self.attempt, worker, build, line, text, note, self.timed = rest
        self.note = note or ""
        self.worker, self.build, self.line, self.text = worker or "", build or "", line or "", text or ""

    def shown(self, events: Sequence[int]) -> tuple[int, int, int]:
        """The event that is shown for the step: its time, type and id."""
        parts = (
            (self.closed_at, self.closed_type, self.closed_id),
            (self.started_at, self.started_type, self.started_id),
            (self.opened_at, self.opened_type, self.id),
        )
        there = [part for part in parts if part[1]]
        return next((part for part in there if part[1] in events), there[0])

    @property
    def state(self) -> str:
        if self.kind in schema.POINTS:
            return "event"
        if self.kind == schema.LOCAL:
            return "failed" if self.line else "completed"
        if self.closed_type:
            role = EVENT_ROLES.get(self.closed_type)
            return "fired" if self.closed_type == TIMER_FIRED else (role and role.status) or "completed"
        if self.closed_at is not None:
            return "unfinished"
        waits = self.kind in (schema.ACTIVITY, schema.TASK) and not self.started_at
        return "waiting" if waits else "running"

    def starts(self, now: datetime) -> datetime | None:
        """When a workflow that was started with a delay begins; None if it has."""
        if self.kind != schema.WORKFLOW or self.closed_at is not None or not self.started_at:
            return None
        begins: datetime = EPOCH + timedelta(microseconds=self.started_at)
        return begins if begins > now else None

    def seconds(self, now: datetime) -> float | None:
        if self.kind in schema.POINTS or not self.timed or self.starts(now) is not None:
            return None
        end = self.closed_at if self.closed_at is not None else (now - EPOCH) // timedelta(microseconds=1)
        return float(max(0, end - self.opened_at) / 1_000_000)
