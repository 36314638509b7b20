"""What a person needs to see when a workflow's virtual clock does not move: what blocks it, and what to do."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime, timezone

from temporalio.api.enums.v1 import PendingActivityState, PendingWorkflowTaskState, TaskQueueType
from temporalio.api.workflow.v1 import PendingActivityInfo
from temporalio.api.workflowservice.v1 import DescribeWorkflowExecutionResponse
from temporalio.client import Client

from devserver.client import OPEN_STATUSES, ClockState, ServiceCalls, VirtualClock, clock_state, status_name

from ..workflows.listing import list_workflows

MAX_WORKFLOWS = 20


async def holders(client: Client, clock: VirtualClock) -> str:
    """What is in flight in a workflow and so blocks its clock: the server skips time only when nothing is."""
    description = await clock.describe()
    status = description.workflow_execution_info.status
    if status not in OPEN_STATUSES:
        return f"the workflow is {status_name(status)}"
    lines = [line async for line in _in_flight(client, description)]
    return "\n".join(lines) if lines else "the server shows nothing that blocks it"


async def _in_flight(client: Client, description: DescribeWorkflowExecutionResponse) -> AsyncIterator[str]:
    if description.HasField("pending_workflow_task"):
        yield await _workflow_task(client, description)
    for activity in description.pending_activities:
        yield _activity(activity)
    for child in description.pending_children:
        yield (
            f"the child workflow {child.workflow_id} ({child.workflow_type_name}) is open; it has a clock of its own, "
            f"which you move separately: temporal.client.get_workflow_handle({child.workflow_id!r})"
        )
    for operation in description.pending_nexus_operations:
        yield f"the Nexus operation {operation.service}/{operation.operation} is open"


async def _workflow_task(client: Client, description: DescribeWorkflowExecutionResponse) -> str:
    task = description.pending_workflow_task
    queue = description.workflow_execution_info.task_queue
    workflow_type = description.workflow_execution_info.type.name
    if task.state != PendingWorkflowTaskState.PENDING_WORKFLOW_TASK_STATE_SCHEDULED:
        return f"a workflow task runs in a worker (attempt {task.attempt})"
    if await has_poller(client, queue):
        return f"a workflow task waits for a worker of the task queue {queue!r} (attempt {task.attempt})"
    return (
        f"no worker polls the task queue {queue!r}: temporal.worker(workflows=[{workflow_type}], task_queue={queue!r})"
    )


async def has_poller(client: Client, queue: str) -> bool:
    """Whether a worker polls a task queue for workflow tasks, or did so lately."""
    return bool(await ServiceCalls(client).pollers(queue, TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW))


def _activity(activity: PendingActivityInfo) -> str:
    name, attempt = activity.activity_type.name, activity.attempt
    if activity.state == PendingActivityState.PENDING_ACTIVITY_STATE_STARTED:
        return f"the activity {name} runs (attempt {attempt}) and holds the clock until it ends"
    failure = f" after {activity.last_failure.message!r}" if activity.HasField("last_failure") else ""
    if attempt > 1:
        return f"the activity {name} waits for attempt {attempt}{failure}"
    return f"the activity {name} waits for a worker that has it, and holds the clock"


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
