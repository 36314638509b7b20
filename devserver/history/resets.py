"""Where a reset of a workflow can begin, and what would be done again after it.

A reset starts a new run with the history up to a workflow task; from there the code runs again:
https://docs.temporal.io/workflow-execution/event#reset
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent

from ..errors import OptionError
from .events import attributes_of
from .model import Step, WorkflowRun

COMPLETED = EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED
RESETTABLE = (
    COMPLETED,
    EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED,
    EventType.EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT,
)
# What the code does, so that it would do it again; the rest happens to the workflow, and the server applies it again.
DONE_BY_CODE = ("activity", "local_activity", "timer", "child", "nexus", "signal_out", "cancel_out", "marker")
SENT = ("signal", "update", "cancel")
MAX_NAMED = 10


@dataclass(frozen=True)
class ResetPoint:
    """Where a new run would begin.

    Attributes:
        event_id: The end of the workflow task that is repeated, as the server's `ResetWorkflowExecution` wants it.
        again: The steps after it that the code would do again, if it decides as before.
        applied: The signals, updates and cancel requests after it, which the server gives to the new run.
        children: Those of `again` that are open child workflows: they keep running, and their ids are taken.
    """

    event_id: int
    again: Sequence[Step]
    applied: Sequence[Step]

    @property
    def children(self) -> Sequence[Step]:
        """See above."""
        return [step for step in self.again if step.kind == "child" and step.open]


def reset_before(run: WorkflowRun, events: Sequence[HistoryEvent], step_name: str) -> ResetPoint:
    """The point before a step: the workflow task whose code began it.

    Args:
        step_name: The type or id of an activity, child or timer, the name of a signal or update, or the number of the
            event that began the step.

    Raises:
        OptionError: There is no such step, or there are several.
    """
    found = [step for step in run.steps if step_name in (step.name, step.id, str(step.event_id))]
    if not found:
        known = list(dict.fromkeys(step.name or step.id for step in run.steps if step.name or step.id))
        raise OptionError(
            f"the run has no step {step_name}", details=[f"it has {', '.join(known[:MAX_NAMED])}"] if known else ()
        )
    if len(found) > 1:
        numbers = [str(step.event_id) for step in found[:MAX_NAMED]]
        raise OptionError(
            f"the run has {len(found)} steps {step_name}",
            details=[f"at the events {', '.join(numbers)}"],
            hint=f"name one by its event: --before {numbers[0]}",
        )
    event = next(event for event in events if event.event_id == found[0].event_id)
    commanded = getattr(attributes_of(event), "workflow_task_completed_event_id", 0)
    return _point(run, events, commanded or _last_task(events, event.event_id - 1))


def reset_to(run: WorkflowRun, events: Sequence[HistoryEvent], event_id: int) -> ResetPoint:
    """The point at a workflow task that has ended: that of the event, or the last one before it.

    Raises:
        OptionError: There is none.
    """
    return _point(run, events, _last_task(events, event_id))


def _last_task(events: Sequence[HistoryEvent], event_id: int) -> int:
    ids = [event.event_id for event in events if event.event_type in RESETTABLE and event.event_id <= event_id]
    if not ids:
        first = next((event.event_id for event in events if event.event_type in RESETTABLE), None)
        hint = f"the first one ends at event {first}" if first else "the workflow has not run yet"
        raise OptionError(f"no workflow task ends before event {event_id}", hint=hint)
    return ids[-1]


def _point(run: WorkflowRun, events: Sequence[HistoryEvent], event_id: int) -> ResetPoint:
    later = [step for step in run.steps if step.event_id > event_id]
    return ResetPoint(
        event_id,
        [step for step in later if step.kind in DONE_BY_CODE],
        [step for step in later if step.kind in SENT],
    )
