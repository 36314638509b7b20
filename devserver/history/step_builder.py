"""The steps of a run while its events come in: opens, starts and closes them."""

from __future__ import annotations

from collections.abc import Mapping
from sys import intern
from typing import Any

from temporalio.api.common.v1 import Payload, WorkflowExecution
from temporalio.api.failure.v1 import Failure
from temporalio.api.history.v1 import HistoryEvent

from ..client.timestamps import to_datetime
from .markers import TaskStarts
from .model import OPEN, NamedPayloads, Step, StepKind, StepStatus
from .previews import truncate
from .relations import Execution

MAX_FAILURE = 65536
MAX_TEXT = 16384


class StepBuilder:
    """The steps of one run while its events come in, one at a time and in their order.

    Attributes:
        task_starts: When workflow tasks started.
    """

    def __init__(self, steps: list[Step]) -> None:
        self.task_starts = TaskStarts()
        self._steps = steps
        self._open: dict[int, Step] = {}
        self._updates: dict[str, Step] = {}

    @property
    def open(self) -> list[Step]:
        """The steps that are not closed."""
        return list(self._open.values())

    def by_event(self, event_id: int) -> Step | None:
        """The open step that this event opened."""
        return self._open.get(event_id)

    def open_step(
        self, kind: StepKind, name: str, event: HistoryEvent, status: StepStatus, step_id: str = "", attempts: int = 0
    ) -> Step:
        """Add a step. One with a closed status closes with the same event."""
        at, number = to_datetime(event.event_time), event.event_id
        opens = status in OPEN
        # Without names, which take longer: nothing is done more often.
        step = Step(kind, intern(name), number, status, at, step_id, None, None if opens else at, attempts)
        if event.HasField("user_metadata") and event.user_metadata.HasField("summary"):
            step.note = truncate((event.user_metadata.summary,))
        self._steps.append(step)
        if opens:
            self._open[number] = step
        else:
            step.event_ids = (0, number)
        return step

    def start_step(self, opener: int, event: HistoryEvent) -> Step | None:
        """Mark the step that the event `opener` opened as running."""
        step = self._open.get(opener)
        if step is not None:
            step.status, step.started = "running", to_datetime(event.event_time)
            step.event_ids = (event.event_id, 0)
        return step

    def close_step(self, opener: int, status: StepStatus, event: HistoryEvent) -> Step | None:
        """Close the step that the event `opener` opened."""
        step = self._open.pop(opener, None)
        if step is not None:
            step.status, step.closed = status, to_datetime(event.event_time)
            step.event_ids = (step.event_ids[0], event.event_id)
            step.next_retry = None
        return step

    def close_all(self, event: HistoryEvent) -> None:
        """The run is closed: steps that are open are unfinished."""
        for opener in list(self._open):
            self.close_step(opener, "unfinished", event)

    def move(self, step: Step, event_id: int) -> Step:
        """Later events refer to the step by the id of this event."""
        self._open[event_id] = self._open.pop(step.event_id, step)
        return step

    def admit_update(self, step: Step) -> None:
        """Remember an update until it is accepted."""
        self._updates.setdefault(step.id, step)

    def admitted_update(self, update_id: str) -> Step | None:
        """The update of that id that was admitted and not accepted yet."""
        return self._updates.pop(update_id, None)


def execution(of: WorkflowExecution, namespace: str = "") -> Execution:
    """The API's ids of a run as ours."""
    return Execution(of.workflow_id, of.run_id, namespace)


def named_payloads(fields: Mapping[str, Payload]) -> NamedPayloads:
    """Payloads by their names, in the order of the names."""
    return tuple([(name, truncate((fields[name],))) for name in sorted(fields)])


def trimmed_failure(failure: Failure) -> Failure:
    """A copy of a failure, because a part of a page keeps all of it in memory; very long texts are cut."""
    copy = Failure()
    copy.CopyFrom(failure)
    part: Failure | None = copy
    while copy.ByteSize() > MAX_FAILURE and part is not None:
        part.message, part.stack_trace = part.message[:MAX_TEXT], part.stack_trace[:MAX_TEXT]
        if part.encoded_attributes.ByteSize() > MAX_TEXT:
            part.ClearField("encoded_attributes")
        info = part.WhichOneof("failure_info")
        if info is not None:
            _clear_payloads(getattr(part, info))
        part = part.cause if part.HasField("cause") else None
    return copy


def _clear_payloads(info: Any) -> None:
    for field in ("details", "last_heartbeat_details"):
        if field in info.DESCRIPTOR.fields_by_name:
            info.ClearField(field)
