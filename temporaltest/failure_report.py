"""What a person needs to see when a test fails: each workflow, its status, what it did, and why it is stuck."""

from __future__ import annotations

from collections.abc import AsyncIterator

from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import Client, WorkflowExecution, WorkflowExecutionStatus

MOST_WORKFLOWS = 20
MOST_EVENTS = 25


async def open_workflows(client: Client) -> str:
    """The state of every open workflow of the namespace: pending activities, their attempts and last failures."""
    lines = [line async for line in _describe_all(client, "ExecutionStatus = 'Running'")]
    return "\n".join(["open workflows:", *lines]) if lines else "no workflow is open"


async def everything(client: Client, ui_url: str | None) -> str:
    """Each workflow of the namespace with a compact trace."""
    lines = [
        f"namespace {client.namespace}" + (f"  {ui_url}/namespaces/{client.namespace}/workflows" if ui_url else "")
    ]
    lines += [line async for line in _describe_all(client, "", traced=True)]
    return "\n".join(lines)


async def _describe_all(client: Client, query: str, *, traced: bool = False) -> AsyncIterator[str]:
    count = 0
    async for each in client.list_workflows(query):
        count += 1
        if count > MOST_WORKFLOWS:
            yield f"  ... and more than {MOST_WORKFLOWS} workflows"
            return
        for line in await _describe(client, each, traced):
            yield line


async def _describe(client: Client, execution: WorkflowExecution, traced: bool) -> list[str]:
    status = execution.status.name if execution.status else "?"
    lines = [f"  {execution.id} ({execution.workflow_type}): {status.lower()}"]
    handle = client.get_workflow_handle(execution.id, run_id=execution.run_id)
    if execution.status == WorkflowExecutionStatus.RUNNING:
        description = await handle.describe()
        raw = description.raw_description
        if raw.HasField("pending_workflow_task"):
            lines.append(f"    workflow task pending, attempt {raw.pending_workflow_task.attempt}")
        for activity in raw.pending_activities:
            failure = f": {activity.last_failure.message}" if activity.HasField("last_failure") else ""
            lines.append(f"    activity {activity.activity_type.name} pending, attempt {activity.attempt}{failure}")
        children = raw.pending_children
        lines += [f"    child workflow {child.workflow_id} ({child.workflow_type_name}) open" for child in children]
    if traced:
        history = await handle.fetch_history()
        lines += [f"    {_line(event)}" for event in history.events[-MOST_EVENTS:]]
    return lines


def _line(event: HistoryEvent) -> str:
    kind = EventType.Name(event.event_type).removeprefix("EVENT_TYPE_").lower().replace("_", " ")
    return f"{event.event_id:>4}  {kind}{_detail(event)}"


def _detail(event: HistoryEvent) -> str:
    attributes = getattr(event, event.WhichOneof("attributes") or "", None)
    for name in ("activity_type", "workflow_type"):
        value = getattr(attributes, name, None)
        if value is not None and value.name:
            return f"  {value.name}"
    for name in ("signal_name", "timer_id"):
        value = getattr(attributes, name, None)
        if value:
            return f"  {value}"
    failure = getattr(attributes, "failure", None)
    if failure is not None and failure.message:
        cause = f": {failure.cause.message}" if failure.HasField("cause") and failure.cause.message else ""
        return f"  {failure.message}{cause}"
    return ""
