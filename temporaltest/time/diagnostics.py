"""What a person needs to see when a workflow's virtual clock does not move: what blocks it, and what to do."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime, timezone

from temporalio.api.enums.v1 import PendingActivityState, PendingWorkflowTaskState
from temporalio.api.workflow.v1 import PendingActivityInfo
from temporalio.api.workflowservice.v1 import DescribeWorkflowExecutionResponse
from temporalio.client import Client

from devserver.client import (
    OPEN_STATUSES,
    ClockState,
    ServiceCalls,
    VirtualClock,
    clock_state,
    status_name,
    to_datetime,
)

from ..workers.pollers import ACTIVITY, WORKFLOW, Pollers
from ..workers.workers import Workers
from ..workflows.listing import list_workflows

MAX_WORKFLOWS = 20


async def holders(client: Client, clock: VirtualClock, workers: Workers) -> str:
    """What is in flight in a workflow and so blocks its clock: the server skips time only when nothing is."""
    description = await clock.describe()
    status = description.workflow_execution_info.status
    if status not in OPEN_STATUSES:
        return f"the workflow is {status_name(status)}"
    lines = [line async for line in _in_flight(Pollers(client, workers), description)]
    return "\n".join(lines) if lines else "the server shows nothing that blocks it"


async def _in_flight(pollers: Pollers, description: DescribeWorkflowExecutionResponse) -> AsyncIterator[str]:
    if description.HasField("pending_workflow_task"):
        yield await _workflow_task(pollers, description)
    for activity in description.pending_activities:
        yield await _activity(pollers, activity)
    for child in description.pending_children:
        yield (
            f"the child workflow {child.workflow_id} ({child.workflow_type_name}) is open; it has a clock of its own, "
            f"which you move separately: temporal.client.get_workflow_handle({child.workflow_id!r})"
        )
    for operation in description.pending_nexus_operations:
        yield f"the Nexus operation {operation.service}/{operation.operation} is open"


async def _workflow_task(pollers: Pollers, description: DescribeWorkflowExecutionResponse) -> str:
    task = description.pending_workflow_task
    queue = description.workflow_execution_info.task_queue
    workflow_type = description.workflow_execution_info.type.name
    if task.state != PendingWorkflowTaskState.PENDING_WORKFLOW_TASK_STATE_SCHEDULED:
        seconds = (datetime.now(timezone.utc) - to_datetime(task.started_time)).total_seconds()
        return (
            f"a worker has started a workflow task {max(0, seconds):.0f} s ago and has not answered "
            f"(attempt {task.attempt})"
        )
    advice = f"temporal.worker(workflows=[{workflow_type}], task_queue={queue!r})"
    found = await pollers.waiting(queue, WORKFLOW, advice)
    return found if found.startswith("no worker") else f"a workflow task waits (attempt {task.attempt}): {found}"


async def _activity(pollers: Pollers, activity: PendingActivityInfo) -> str:
    name, attempt = activity.activity_type.name, activity.attempt
    if activity.state == PendingActivityState.PENDING_ACTIVITY_STATE_STARTED:
        return (
            f"the activity {name} runs (attempt {attempt}), as far as the server knows, and holds the clock until it "
            "ends or times out"
        )
    if activity.paused:
        return f"the activity {name} is paused"
    failure = f" after {activity.last_failure.message!r}" if activity.HasField("last_failure") else ""
    if activity.HasField("next_attempt_schedule_time") and attempt > 1:
        return f"the activity {name} waits for attempt {attempt}{failure}"
    queue = activity.activity_options.task_queue.name
    found = await pollers.waiting(queue, ACTIVITY, f"temporal.worker(activities=[{name}], task_queue={queue!r})")
    return f"the activity {name} waits for a worker{failure} and holds the clock: {found}"


async def clock_list(client: Client) -> str:
    """The clock of every open workflow, one a line; empty without any."""
    lines = []
    calls = ServiceCalls(client)
    async for info in list_workflows(client, "ExecutionStatus = 'Running'", MAX_WORKFLOWS):
        description = await calls.describe_workflow(info.execution.workflow_id, info.execution.run_id)
        state = None if description is None else clock_state(description)
        if state is not None:
            lines.append(f"  {info.execution.workflow_id}: {_state_text(state)}")
    return "\n".join(["virtual clocks:", *lines]) if lines else ""


def _state_text(state: ClockState) -> str:
    ahead = (state.now - datetime.now(timezone.utc)).total_seconds() / 86400
    if not state.skips:
        mode = "in real time until you move it (temporal_time.fast_forward, .until, .release) or wait for its result"
    elif state.moving is not None:
        mode = f"moving {state.moving} ahead"
    else:
        mode = "skips time by itself, as soon as nothing is in flight and a timer is pending"
    return f"{state.now.replace(microsecond=0, tzinfo=None)} (UTC, {ahead:.1f} days ahead), {mode}"
