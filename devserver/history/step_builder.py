"""The steps of a run while its events come in: which are open, and what is kept of what an event brings."""

from __future__ import annotations

from datetime import timedelta
from sys import intern
from typing import Any

from google.protobuf.duration_pb2 import Duration
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.failure.v1 import Failure
from temporalio.api.history.v1 import HistoryEvent

from ..client.timestamps import to_datetime
from .model import Execution, Step, StepKind, StepStatus
from .previews import truncate

MOST_FAILURE = 65536
MOST_TEXT = 16384


def span(duration: Duration) -> timedelta:
    """A server's duration, to the microsecond."""
    return timedelta(seconds=duration.seconds, microseconds=duration.nanos // 1000)


def trimmed_failure(failure: Failure) -> Failure:
    """A copy, because a part of a page keeps all of it in memory; endless messages and stack traces are cut."""
    copy = Failure()
    copy.CopyFrom(failure)
    part: Failure | None = copy
    while copy.ByteSize() > MOST_FAILURE and part is not None:
        part.message, part.stack_trace = part.message[:MOST_TEXT], part.stack_trace[:MOST_TEXT]
        if part.encoded_attributes.ByteSize() > MOST_TEXT:
            part.ClearField("encoded_attributes")
        info = part.WhichOneof("failure_info")
        if info is not None:
            _without_payloads(getattr(part, info))
        part = part.cause if part.HasField("cause") else None
    return copy


def _without_payloads(info: Any) -> None:
    for field in ("details", "last_heartbeat_details"):
        if field in info.DESCRIPTOR.fields_by_name:
            info.ClearField(field)


class StepBuilder:
    """The steps of one run while its events come in."""

    def __init__(self, steps: list[Step]) -> None:
        self._steps = steps
        self._open: dict[int, Step] = {}
        self._updates: dict[str, Step] = {}

    @property
    def open(self) -> list[Step]:
        """Those that are not closed."""
        return list(self._open.values())

    def by_event(self, event_id: int) -> Step | None:
        """The open step that this event opened."""
        return self._open.get(event_id)

    def opens(self, kind: StepKind, name: str, event: HistoryEvent, **more: Any) -> Step:
        """A new step; one that is not open as soon as it is there gets its `status`."""
        at = to_datetime(event.event_time)
        step = Step(kind, intern(name), event.event_id, more.pop("status", "scheduled"), at, **more)
        if event.HasField("user_metadata") and event.user_metadata.HasField("summary"):
            step.note = truncate((event.user_metadata.summary,))
        self._steps.append(step)
        if step.open:
            self._open[event.event_id] = step
        else:
            step.closed, step.event_ids = step.closed or at, (0, event.event_id)
        return step

    def begins(self, opener: int, event: HistoryEvent) -> Step | None:
        """It runs."""
        step = self._open.get(opener)
        if step is not None:
            step.status, step.started = "running", to_datetime(event.event_time)
            step.event_ids = (event.event_id, 0)
        return step

    def closes(self, opener: int, status: StepStatus, event: HistoryEvent) -> Step | None:
        """It is over."""
        step = self._open.pop(opener, None)
        if step is not None:
            step.status, step.closed = status, to_datetime(event.event_time)
            step.event_ids = (step.event_ids[0], event.event_id)
            step.next_retry = None
        return step

    def end(self, event: HistoryEvent) -> None:
        """The run is over: nothing of it goes on."""
        for opener in list(self._open):
            self.closes(opener, "unfinished", event)

    def moved(self, step: Step, event_id: int) -> Step:
        """Later events mean it by the id of this one."""
        self._open[event_id] = self._open.pop(step.event_id, step)
        return step

    def update(self, update_id: str, step: Step | None = None) -> Step | None:
        """Remember, or find, an update that was admitted before it was accepted."""
        return self._updates.pop(update_id, None) if step is None else self._updates.setdefault(update_id, step)


def execution(of: WorkflowExecution, namespace: str = "") -> Execution:
    """Ours for theirs."""
    return Execution(of.workflow_id, of.run_id, namespace)
