"""A run's events as steps: what belongs together (scheduled, started, ended) is one, with all that is told of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from temporalio.api.enums.v1 import EventType, PendingActivityState
from temporalio.api.failure.v1 import Failure
from temporalio.api.history.v1 import HistoryEvent
from temporalio.api.workflowservice.v1 import DescribeWorkflowExecutionResponse

from ..history.markers import read_marker
from . import event_roles
from .event_roles import Shape
from .failure_texts import IndexedFailure, indexed_failure, said

MICRO = 1_000_000
# Looked up once: an enum's names take their time, and there are many events.
MARKER_RECORDED = int(EventType.EVENT_TYPE_MARKER_RECORDED)
UPDATE_COMPLETED = int(EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_COMPLETED)
# What a workflow that ran on its own worker is told with where there is no versioning.
UNVERSIONED = ("", "__unversioned__")


@dataclass(slots=True)
class IndexedStep:
    """One step. Moments are microseconds since 1970; 0 and None: there is none.

    A step that is only an event has the same moment for its beginning and its end, and no other event.
    """

    id: int
    kind: int
    name: str
    key: str
    opened_type: int
    opened_at: int
    started_id: int = 0
    started_type: int = 0
    started_at: int = 0
    closed_id: int = 0
    closed_type: int = 0
    closed_at: int | None = None
    attempt: int = 0
    identity: str = ""
    build: str = ""
    failure: IndexedFailure | None = None
    before: IndexedFailure | None = None


class IndexedSteps:
    """Takes a run's events in order and makes its steps of them.

    Attributes:
        events: How many there were.
        ended: Whether one of them closed the run.

    After some events, `read_failures` must be awaited: a codec may have to decode them.
    """

    def __init__(self, converter: Any) -> None:
        self._converter = converter
        self._steps: dict[int, IndexedStep] = {}
        self._updates: dict[str, int] = {}
        self._unread: list[tuple[IndexedStep, str, Failure]] = []
        self._read: dict[bytes, IndexedFailure] = {}
        self.events = 0
        self._last_at = 0
        self.ended = False

    def add(self, event: HistoryEvent) -> None:
        """The next event."""
        self.events += 1
        at = event.event_time.seconds * MICRO + event.event_time.nanos // 1000
        self._last_at = max(self._last_at, at)
        kind = event.event_type
        shape = event_roles.SHAPES.get(kind)
        field = shape.field if shape else event.WhichOneof("attributes")
        attributes = getattr(event, field) if field else None
        step = self._step_of(event, shape, attributes, at)
        if kind == MARKER_RECORDED:
            _mark(step, attributes)
        if attributes is not None:
            self._tell(step, kind, attributes)

    async def read_failures(self) -> None:
        """Read the failures that have come since the last time."""
        for step, where, failure in self._unread:
            same = failure.SerializeToString()
            told = self._read.get(same)
            if told is None:
                told = self._read[same] = await indexed_failure(failure, self._converter)
            setattr(step, where, told)
        self._unread.clear()

    async def done(self, described: DescribeWorkflowExecutionResponse | None = None) -> list[IndexedStep]:
        """All steps. Of an open run, `described` tells how its activities are that have not ended."""
        if described is not None and not self.ended:
            self._pending(described)
        await self.read_failures()
        if self.ended:
            for step in self._steps.values():
                if step.closed_at is None:
                    step.closed_at = self._last_at
        return list(self._steps.values())

    def _step_of(self, event: HistoryEvent, shape: Shape | None, attributes: Any, at: int) -> IndexedStep:
        kind, number = event.event_type, event.event_id
        if shape is not None and shape.of is not None:
            step = self._steps.get(shape.of(attributes, self._updates))
            if step is not None and (shape.part == event_roles.STARTS):
                step.started_id, step.started_type, step.started_at = number, kind, at
                return step
            if step is not None and shape.part == event_roles.CLOSES:
                step.closed_id, step.closed_type, step.closed_at = number, kind, at
                self.ended = self.ended or step.kind == event_roles.WORKFLOW
                return step
            about = step.name if step is not None else ""
        else:
            about = ""
        name = (shape.name(attributes) if shape and shape.name else "") or about
        key = shape.key(attributes) if shape and shape.key else ""
        opens = shape is not None and shape.part in (event_roles.OPENS, event_roles.STARTS)
        step = IndexedStep(number, shape.kind if shape else event_roles.EVENT, name, key, kind, at)
        step.closed_at = None if opens else at
        if step.kind == event_roles.UPDATE and key:
            self._updates[key] = number
        self._steps[number] = step
        return step

    def _tell(self, step: IndexedStep, kind: int, attributes: Any) -> None:
        """Keep what the event says beyond that it came."""
        fields = event_roles.fields_of(attributes.DESCRIPTOR)
        if "identity" in fields and attributes.identity:
            step.identity = attributes.identity
        if "attempt" in fields and attributes.attempt:
            step.attempt = attributes.attempt
        build = event_roles.build_of(attributes, fields)
        if build not in UNVERSIONED:
            step.build = build
        if "last_failure" in fields and attributes.HasField("last_failure"):
            self._unread.append((step, "before", attributes.last_failure))
        if "continued_failure" in fields and attributes.HasField("continued_failure"):
            self._unread.append((step, "before", attributes.continued_failure))
        if "failure" in fields and attributes.HasField("failure"):
            self._unread.append((step, "failure", attributes.failure))
        elif kind == UPDATE_COMPLETED:
            if attributes.outcome.HasField("failure"):
                self._unread.append((step, "failure", attributes.outcome.failure))
        elif text := said(kind, attributes, fields):
            step.failure = IndexedFailure(text, text)

    def _pending(self, described: DescribeWorkflowExecutionResponse) -> None:
        by_key = {(each.kind, each.key): each for each in self._steps.values() if each.closed_at is None}
        for activity in described.pending_activities:
            step = by_key.get((event_roles.ACTIVITY, activity.activity_id))
            if step is None:
                continue
            step.attempt = activity.attempt
            step.identity = activity.last_worker_identity or step.identity
            step.build = activity.last_deployment_version.build_id or step.build
            if activity.state == PendingActivityState.PENDING_ACTIVITY_STATE_STARTED:
                started = activity.last_started_time
                step.started_at = started.seconds * MICRO + started.nanos // 1000
            if activity.HasField("last_failure"):
                self._unread.append((step, "before", activity.last_failure))
        for operation in described.pending_nexus_operations:
            step = self._steps.get(operation.scheduled_event_id)
            if step is not None and step.closed_at is None:
                step.attempt = operation.attempt
                if operation.HasField("last_attempt_failure"):
                    self._unread.append((step, "before", operation.last_attempt_failure))


def _mark(step: IndexedStep, attributes: Any) -> None:
    """What a marker stands for; a local activity is told when it has ended."""
    marker = read_marker(attributes)
    step.name, step.key = marker.name, marker.id
    if marker.kind == "local_activity":
        step.kind, step.attempt = event_roles.LOCAL, marker.attempts
        if marker.scheduled is not None:
            step.opened_at = min(step.opened_at, round(marker.scheduled.timestamp() * MICRO))
