"""A run's events as steps of the index: what belongs together (scheduled, started, ended) is one row.

This is the fast path: a search reads whole histories, so events become the columns of a row without the `Step`s that
traces are made of. What each event type does comes from the event table, with all names looked up once.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from temporalio.api.common.v1 import Payload
from temporalio.api.enums.v1 import EventType, PendingActivityState
from temporalio.api.failure.v1 import Failure
from temporalio.api.history.v1 import HistoryEvent
from temporalio.api.workflowservice.v1 import DescribeWorkflowExecutionResponse

from ..client.failures import ENCODED
from ..client.timestamps import MICROSECONDS, to_datetime, to_microseconds
from ..history.markers import TaskStarts, read_marker
from ..history.previews import preview, truncate
from . import schema
from .event_readings import MARKER_RECORDED, READINGS, EventReading
from .failure_texts import IndexedFailure, indexed_failure, problem_in, storable
from .indexed_step import IndexedStep

# Looked up once: an enum's names take their time, and there are many events.
TASK_STARTED = int(EventType.EVENT_TYPE_WORKFLOW_TASK_STARTED)
RUN_STARTED = int(EventType.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED)
UPDATE_COMPLETED = int(EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_COMPLETED)
# What the server calls workers without a build id.
UNVERSIONED = ("", "__unversioned__")


class IndexedSteps:
    """Makes steps of a run's events, which are added in their order.

    Await `read_failures` from time to time: a codec may have to decode them.

    Attributes:
        events: How many events were added.
        encoded: How many failures could not be decoded.
        ended: Whether one of them closed the run.
    """

    def __init__(self, converter: Any) -> None:
        self._converter = converter
        self._steps: dict[int, IndexedStep] = {}
        self._updates: dict[str, int] = {}
        self._unread: list[tuple[IndexedStep, str, Failure]] = []
        self._notes: list[tuple[IndexedStep, Payload]] = []
        self._read: dict[bytes, IndexedFailure] = {}
        self.events = 0
        self.encoded = 0
        self._last_at = 0
        self._task_starts = TaskStarts()
        self.ended = False

    def add(self, event: HistoryEvent) -> None:
        """Take the next event."""
        self.events += 1
        at = to_microseconds(event.event_time)
        self._last_at = max(self._last_at, at)
        number = event.event_type
        reading = READINGS.get(number)
        if reading is None:  # an event type that is newer than the SDK
            self._steps[event.event_id] = IndexedStep(event.event_id, schema.EVENT, "", "", number, at, closed_at=at)
            return
        attributes = getattr(event, reading.field)
        step = self._step_of(event, reading, attributes, at)
        if number == MARKER_RECORDED:
            _add_marker(step, event, attributes, self._task_starts)
        elif number == TASK_STARTED:
            self._task_starts.add(to_datetime(event.event_time))
        elif number == RUN_STARTED and attributes.HasField("first_workflow_task_backoff"):
            backoff = attributes.first_workflow_task_backoff
            step.started_at = at + backoff.seconds * MICROSECONDS if backoff.seconds else 0
        if step.id == event.event_id and event.HasField("user_metadata") and event.user_metadata.HasField("summary"):
            self._notes.append((step, event.user_metadata.summary))
        self._add_attributes(step, number, attributes, reading.fields)

    async def read_failures(self) -> None:
        """Decode the failures of the events added since the last call."""
        for step, where, failure in self._unread:
            same = failure.SerializeToString()
            found = self._read.get(same)
            if found is None:
                found = self._read[same] = await indexed_failure(failure, self._converter)
            self.encoded += ENCODED in found.text
            setattr(step, where, found)
        self._unread.clear()
        for step, summary in self._notes:
            step.note = storable(await preview(truncate((summary,)), self._converter)).strip('"')
        self._notes.clear()

    async def done(self, described: DescribeWorkflowExecutionResponse | None = None) -> list[IndexedStep]:
        """All steps. `described` has the state of an open run's pending activities and Nexus operations."""
        if described is not None and not self.ended:
            self._pending(described)
        await self.read_failures()
        if self.ended:
            for step in self._steps.values():
                if step.closed_at is None:
                    step.closed_at = self._last_at
        return list(self._steps.values())

    def _step_of(self, event: HistoryEvent, reading: EventReading, attributes: Any, at: int) -> IndexedStep:
        """The step that the event belongs to; a new one if it opens a step or stands alone."""
        number, kind = event.event_id, event.event_type
        key = reading.key(attributes) if reading.key is not None else ""
        step = self._opened(reading, attributes, key)
        if step is not None and reading.effect == "starts":
            step.started_id, step.started_type, step.started_at = number, kind, at
            return step
        if step is not None and reading.effect == "closes":
            step.closed_id, step.closed_type, step.closed_at = number, kind, at
            self.ended = self.ended or step.kind == schema.WORKFLOW
            return step
        name = reading.name(attributes) if reading.name is not None else ""
        if not name and step is not None:
            name = step.name
        closed_at = None if reading.effect in ("opens", "starts") else at
        step = self._steps[number] = IndexedStep(number, reading.kind, name, key, kind, at, closed_at=closed_at)
        if reading.kind == schema.UPDATE and key:
            self._updates[key] = number
        return step

    def _opened(self, reading: EventReading, attributes: Any, key: str) -> IndexedStep | None:
        """The step that an earlier event has opened, if this one belongs to it."""
        if reading.opener is not None:
            return self._steps.get(reading.opener(attributes))
        if reading.kind == schema.UPDATE and reading.effect != "opens":
            return self._steps.get(self._updates.get(key, 0))
        return None

    def _add_attributes(self, step: IndexedStep, kind: int, attributes: Any, fields: frozenset[str]) -> None:
        """Note what the event says of its worker, attempt, build and failure."""
        if "identity" in fields and attributes.identity:
            step.identity = attributes.identity
        if "attempt" in fields and attributes.attempt:
            step.attempt = attributes.attempt
        build = _build_in(attributes, fields)
        if build not in UNVERSIONED:
            step.build = build
        for name in ("last_failure", "continued_failure"):
            if name in fields and attributes.HasField(name):
                self._unread.append((step, "before", getattr(attributes, name)))
        if "failure" in fields and attributes.HasField("failure"):
            self._unread.append((step, "failure", attributes.failure))
        elif kind == UPDATE_COMPLETED:
            if attributes.outcome.HasField("failure"):
                self._unread.append((step, "failure", attributes.outcome.failure))
        elif text := problem_in(kind, attributes, fields):
            step.failure = IndexedFailure(text, text)

    def _pending(self, described: DescribeWorkflowExecutionResponse) -> None:
        by_key = {(step.kind, step.key): step for step in self._steps.values() if step.closed_at is None}
        for activity in described.pending_activities:
            step = by_key.get((schema.ACTIVITY, activity.activity_id))
            if step is None:
                continue
            step.attempt = activity.attempt
            step.identity = activity.last_worker_identity or step.identity
            step.build = activity.last_deployment_version.build_id or step.build
            if activity.state == PendingActivityState.PENDING_ACTIVITY_STATE_STARTED:
                step.started_at = to_microseconds(activity.last_started_time)
            if activity.HasField("last_failure"):
                self._unread.append((step, "before", activity.last_failure))
        for operation in described.pending_nexus_operations:
            step = self._steps.get(operation.scheduled_event_id)
            if step is not None and step.closed_at is None:
                step.attempt = operation.attempt
                if operation.HasField("last_attempt_failure"):
                    self._unread.append((step, "before", operation.last_attempt_failure))


def _add_marker(step: IndexedStep, event: HistoryEvent, attributes: Any, task_starts: TaskStarts) -> None:
    """Note what a marker stands for; that of a local activity is recorded when the activity has ended."""
    marker = read_marker(attributes)
    step.name, step.key = marker.name, marker.id
    if marker.kind == "local_activity":
        step.kind, step.attempt, step.timed = schema.LOCAL, marker.attempts, marker.timed
        if marker.scheduled is not None:
            recorded = to_datetime(event.event_time)
            if marker.scheduled <= recorded:
                step.opened_at = _microseconds_of(marker.scheduled)
                step.closed_at = _microseconds_of(task_starts.end_of(marker, recorded))


def _microseconds_of(when: datetime) -> int:
    return round(when.timestamp() * MICROSECONDS)


def _build_in(attributes: Any, fields: frozenset[str]) -> str:
    """The build id of the worker that sent the event; empty if the event has none."""
    if "deployment_version" in fields and attributes.deployment_version.build_id:
        return str(attributes.deployment_version.build_id)
    if "worker_version" in fields:
        return str(attributes.worker_version.build_id)
    return ""
