"""Where a replay left its history: the reason, the nearest event, and the lines of the workflow's code."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from temporalio.api.enums.v1 import EventType, WorkflowTaskFailedCause
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import WorkflowHistory

from ..history import WORKFLOW_TASK_EVENTS, attributes_of
from .observer import ReplayObserver

EVENT = re.compile(r"HistoryEvent\(id: (\d+)")
MESSAGE = re.compile(r'message: "(.*?)", source:', re.DOTALL)
PREFIX = re.compile(r"^\[TMPRL\d+\] Nondeterminism error: ")
MAX_STACKS = 5
NONDETERMINISTIC = "(non-deterministic, TMPRL1100)"


@dataclass(frozen=True)
class Divergence:
    """Why a history does not replay. Its text is the whole explanation, on several lines.

    Attributes:
        history: The history.
        reason: The reason, as the SDK gives it, in one sentence.
        event: The nearest event of the history; None if the history had none left.
        where: Where the code was: lines for a person to read.
    """

    history: WorkflowHistory
    reason: str
    event: HistoryEvent | None
    where: Sequence[str]

    def __str__(self) -> str:
        name = f"{self.history.workflow_id} ({_type_of(self.history)})"
        lines = [f"the workflow {name} does not replay: {self.reason} {NONDETERMINISTIC}"]
        if self.event is not None:
            lines.append(f"  nearest event: {self.event.event_id}, {event_text(self.event)}")
        return "\n".join([*lines, *(f"  {line}" for line in self.where)])


def explain(history: WorkflowHistory, failure: BaseException, observer: ReplayObserver) -> Divergence:
    """The account of a failed replay: the SDK's reason, what the history has there, and where the code was."""
    found = MESSAGE.search(str(failure))
    message = found.group(1).replace('\\"', '"').replace("\\n", "\n") if found else str(failure)
    reason = PREFIX.sub("", message)
    return Divergence(history, reason, _nearest(history, reason, observer.reached), _where(observer))


def _nearest(history: WorkflowHistory, reason: str, reached: int) -> HistoryEvent | None:
    named = EVENT.search(reason)
    if named:
        return next((event for event in history.events if event.event_id == int(named.group(1))), None)
    later = [e for e in history.events if e.event_id > reached and e.event_type not in WORKFLOW_TASK_EVENTS]
    quoted = re.findall(r"'([^']+)'", reason)
    matching = [event for event in later if quoted and quoted[0] in _names(event)]
    return next(iter([*matching, *later]), None)


def _names(event: HistoryEvent) -> list[str]:
    attributes = attributes_of(event)
    ids = [getattr(attributes, name, "") for name in ("activity_id", "timer_id", "workflow_id", "signal_name")]
    types = [getattr(getattr(attributes, name, None), "name", "") for name in ("activity_type", "workflow_type")]
    return [*ids, *types]


def _where(observer: ReplayObserver) -> list[str]:
    if observer.raised is not None:
        raised = f"the code raised {type(observer.raised).__name__}: {observer.raised}"
        return [raised, *(f"  {line}" for stack in observer.stacks for line in stack)]
    if observer.stacks:
        lines = [f"  {line}" for stack in observer.stacks[:MAX_STACKS] for line in stack]
        return ["the code was at", *lines]
    if not observer.started:
        return [
            f"the code had not reached {observer.function}",
            "its __init__ failed, or its input cannot be decoded: does the data converter match the one it ran with?",
        ]
    return [f"the code had reached the end of {observer.function}"]


def failed_after_history(history: WorkflowHistory, reached: int) -> bool:
    """Whether the step that failed is not completed in the history, so that it cannot diverge from it."""
    done = [e.event_id for e in history.events if e.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED]
    return reached > max(done, default=0)


def was_reset(history: WorkflowHistory) -> bool:
    """Whether a run is what a reset made of another one; its replay has the ids of the first run."""
    cause = WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_RESET_WORKFLOW
    return any(event.workflow_task_failed_event_attributes.cause == cause for event in history.events)


def event_text(event: HistoryEvent) -> str:
    """An event's type in words, with a name: `activity task scheduled (charge)`."""
    kind = EventType.Name(event.event_type).removeprefix("EVENT_TYPE_").lower().replace("_", " ")
    names = [name for name in _names(event)[::-1] if name]
    return f"{kind} ({names[0]})" if names else kind


def _type_of(history: WorkflowHistory) -> str:
    return history.events[0].workflow_execution_started_event_attributes.workflow_type.name if history.events else "?"
