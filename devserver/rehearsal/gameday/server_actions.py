"""What was done to workflows by people, read from their histories."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Sequence
from datetime import datetime, timezone
from typing import Any

from temporalio.api.enums.v1 import EventType, WorkflowTaskFailedCause
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import Client

from ...client import ServiceCalls
from ...errors import DevServerError
from ...history import attributes_of
from ..drills.operator import REASON
from .notes import ServerAction

MOST_WORKFLOWS = 30
RESET = WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_RESET_WORKFLOW
TOGETHER = 1.0  # seconds: a reset also terminates the run before it
DESTRUCTIVE = ("terminate", "cancel", "reset")


def action_of(event: HistoryEvent, workflow_id: str, at: float) -> ServerAction | None:
    """The action of a client that an event shows; None if it shows none."""
    kind, values = _KINDS.get(event.event_type), attributes_of(event)
    if kind is None or (kind == "reset" and values.cause != RESET):
        return None
    by = values.accepted_request.meta.identity if kind == "update" else getattr(values, "identity", "")
    reason = getattr(values, "reason", "") or getattr(values, "cause", "")
    if reason == REASON:
        return None  # a drill of the plan
    return ServerAction(at, kind, _words(kind, values, reason), workflow_id, str(by))


def _words(kind: str, values: Any, reason: object) -> str:
    because = f" ({reason})" if isinstance(reason, str) and reason else ""
    if kind == "signal":
        return f"signal {values.signal_name}"
    if kind == "update":
        return f"update {values.accepted_request.input.name}"
    return {
        "cancel": f"cancellation requested{because}",
        "terminate": f"terminated{because}",
        "pause": f"paused{because}",
        "unpause": f"resumed{because}",
        "reset": "reset",
        "options": "options changed",
    }[kind]


def without_resets_end(actions: Iterable[ServerAction]) -> list[ServerAction]:
    """The actions by time, without the termination that belongs to a reset."""
    found = sorted(actions, key=lambda action: action.at)
    resets = [action for action in found if action.kind == "reset"]
    return [
        action
        for action in found
        if action.kind != "terminate"
        or not any(item.workflow_id == action.workflow_id and abs(item.at - action.at) < TOGETHER for item in resets)
    ]


async def all_actions(client: Client, workflow_id: str, began: datetime) -> list[ServerAction]:
    """What was done to the runbook and to other workflows of the namespace, as far as their histories are there."""
    calls = ServiceCalls(client)
    found: list[ServerAction] = []
    with contextlib.suppress(DevServerError):  # what was found before the server went away counts
        found += _of_history(await calls.history(workflow_id) or (), workflow_id, began)
        async for workflow in calls.list_workflows(limit=MOST_WORKFLOWS):
            execution = workflow.execution
            if execution.workflow_id != workflow_id:
                events = await calls.history(execution.workflow_id, execution.run_id)
                found += _of_history(events or (), execution.workflow_id, began)
    return [action for action in found if action.by != client.identity]


def _of_history(events: Sequence[HistoryEvent], workflow_id: str, began: datetime) -> list[ServerAction]:
    found = []
    for event in events:
        at = (event.event_time.ToDatetime(timezone.utc) - began).total_seconds()
        action = action_of(event, workflow_id, at) if at >= 0 else None
        if action is not None:
            found.append(action)
    return found


_KINDS: dict[int, str] = {
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED: "signal",
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CANCEL_REQUESTED: "cancel",
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED: "terminate",
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_PAUSED: "pause",
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UNPAUSED: "unpause",
    EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED: "reset",
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED: "update",
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_OPTIONS_UPDATED: "options",
}
