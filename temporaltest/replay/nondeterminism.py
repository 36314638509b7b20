"""Where a replay left its history: the event, and the line of the workflow's code."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import WorkflowHistory

from ..workflows.executions import RunHistory
from .watched_replayer import Watch

EVENT = re.compile(r"HistoryEvent\(id: (\d+)")
MESSAGE = re.compile(r'message: "(.*?)", source:', re.DOTALL)
PREFIX = re.compile(r"^\[TMPRL\d+\] Nondeterminism error: ")
STACKS = 5
WORKFLOW_TASKS = (
    EventType.EVENT_TYPE_WORKFLOW_TASK_SCHEDULED,
    EventType.EVENT_TYPE_WORKFLOW_TASK_STARTED,
    EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED,
    EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED,
    EventType.EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT,
)


@dataclass(frozen=True)
class Divergence:
    """Why a run does not replay; `event` is the nearest event, or None where the history had none left."""

    ran: RunHistory
    reason: str
    event: HistoryEvent | None
    where: Sequence[str]

    def __str__(self) -> str:
        """The whole explanation, on some lines."""
        lines = [f"the workflow {self.ran.id} ({self.ran.workflow_type}) does not replay: {self.reason}"]
        if self.event is not None:
            lines.append(f"  nearest event: {self.event.event_id}, {event_name(self.event)}")
        return "\n".join([*lines, *(f"  {line}" for line in self.where)])


def explain(ran: RunHistory, failure: BaseException, watch: Watch) -> Divergence:
    """What the SDK says of a replay that failed, what the history has there, and where the code stood."""
    found = MESSAGE.search(str(failure))
    message = found.group(1).replace('\\"', '"').replace("\\n", "\n") if found else str(failure)
    reason = PREFIX.sub("", message)
    return Divergence(ran, reason, _nearest(ran.history, reason, watch.reached), _where(ran, watch))


def _nearest(history: WorkflowHistory, reason: str, reached: int) -> HistoryEvent | None:
    named = EVENT.search(reason)
    if named:
        return next((each for each in history.events if each.event_id == int(named.group(1))), None)
    later = [each for each in history.events if each.event_id > reached and each.event_type not in WORKFLOW_TASKS]
    quoted = re.findall(r"'([^']+)'", reason)
    fitting = [each for each in later if quoted and quoted[0] in _names(each)]
    return next(iter([*fitting, *later]), None)


def _names(event: HistoryEvent) -> list[str]:
    attributes = getattr(event, event.WhichOneof("attributes") or "", None)
    ids = [getattr(attributes, name, "") for name in ("activity_id", "timer_id", "workflow_id", "signal_name")]
    types = [getattr(getattr(attributes, name, None), "name", "") for name in ("activity_type", "workflow_type")]
    return [*ids, *types]


def _where(ran: RunHistory, watch: Watch) -> list[str]:
    if watch.raised is not None:
        raised = f"the code raised {type(watch.raised).__name__}: {watch.raised}"
        return [raised, *(f"  {place}" for stack in watch.stacks for place in stack)]
    if watch.stacks:
        places = [f"  {place}" for stack in watch.stacks[:STACKS] for place in stack]
        return ["the code was at", *places]
    if not watch.begun:
        return [
            f"the code had not come to {watch.function}",
            "its __init__ failed, or its input cannot be decoded: is temporal_client_options the same as it was then?",
        ]
    return [f"the code had come to the end of {watch.function}"]


def is_unfinished_business(history: WorkflowHistory, reached: int) -> bool:
    """Whether a step failed that the history does not hold as done: so there is nothing that it diverges from."""
    done = [e.event_id for e in history.events if e.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED]
    return reached > max(done, default=0)


def event_name(event: HistoryEvent) -> str:
    """An event's type in plain words, with the name of what it is about."""
    kind = EventType.Name(event.event_type).removeprefix("EVENT_TYPE_").lower().replace("_", " ")
    names = [name for name in _names(event)[::-1] if name]
    return f"{kind} ({names[0]})" if names else kind
