"""What a person needs to see when a workflow's virtual clock stands still: what holds it, and what to do."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from temporalio.api.enums.v1 import PendingActivityState, PendingWorkflowTaskState, TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflow.v1 import PendingActivityInfo
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest, DescribeWorkflowExecutionResponse
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowHandle

if TYPE_CHECKING:
    from temporalio.api.common.v1 import TimeSkippingInfo

MOST_WORKFLOWS = 20


async def holders(client: Client, handle: WorkflowHandle[Any, Any]) -> str:
    """What is in flight in a workflow and so holds its clock: time is skipped only when nothing is."""
    description = await handle.describe()
    raw = description.raw_description
    if description.status != WorkflowExecutionStatus.RUNNING:
        status = description.status.name.lower() if description.status else "over"
        return f"the workflow is {status}"
    lines = [line async for line in _in_flight(client, raw)]
    return "\n".join(lines) if lines else "nothing holds it that the server shows"


async def _in_flight(client: Client, raw: DescribeWorkflowExecutionResponse) -> AsyncIterator[str]:
    if raw.HasField("pending_workflow_task"):
        yield await _workflow_task(client, raw)
    for activity in raw.pending_activities:
        yield _activity(activity)
    for child in raw.pending_children:
        yield (
            f"the child workflow {child.workflow_id} ({child.workflow_type_name}) is open and has a clock of its own, "
            f"which is moved by itself: temporal.client.get_workflow_handle({child.workflow_id!r})"
        )
    for operation in raw.pending_nexus_operations:
        yield f"the Nexus operation {operation.service}/{operation.operation} is open"


async def _workflow_task(client: Client, raw: DescribeWorkflowExecutionResponse) -> str:
    task = raw.pending_workflow_task
    queue = raw.workflow_execution_info.task_queue
    kind = raw.workflow_execution_info.type.name
    if task.state != PendingWorkflowTaskState.PENDING_WORKFLOW_TASK_STATE_SCHEDULED:
        return f"a workflow task runs in a worker (attempt {task.attempt})"
    if await polled(client, queue):
        return f"a workflow task waits for a worker of the task queue {queue!r} (attempt {task.attempt})"
    return f"no worker polls the task queue {queue!r}: temporal.worker(workflows=[{kind}], task_queue={queue!r})"


async def polled(client: Client, queue: str) -> bool:
    """Whether a worker takes workflow tasks from a task queue, or has done so lately."""
    request = DescribeTaskQueueRequest(
        namespace=client.namespace,
        task_queue=TaskQueue(name=queue),
        task_queue_type=TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW,
    )
    return bool((await client.workflow_service.describe_task_queue(request)).pollers)


def _activity(activity: PendingActivityInfo) -> str:
    name, attempt = activity.activity_type.name, activity.attempt
    if activity.state == PendingActivityState.PENDING_ACTIVITY_STATE_STARTED:
        return f"the activity {name} runs (attempt {attempt}) and holds the clock: time is skipped when it has ended"
    failure = f" after {activity.last_failure.message!r}" if activity.HasField("last_failure") else ""
    if attempt > 1:
        return f"the activity {name} waits for its attempt {attempt}{failure}"
    return f"the activity {name} waits for a worker that has it and holds the clock"


async def standing(client: Client) -> str:
    """Where the clock of every open workflow stands."""
    lines = []
    async for each in client.list_workflows("ExecutionStatus = 'Running'", limit=MOST_WORKFLOWS):
        handle = client.get_workflow_handle(each.id, run_id=each.run_id)
        extended = (await handle.describe()).raw_description.workflow_extended_info
        if extended.HasField("time_skipping_info"):
            lines.append(f"  {each.id}: {_stand(extended.time_skipping_info)}")
    return "\n".join(["virtual clocks:", *lines]) if lines else ""


def _stand(info: TimeSkippingInfo) -> str:
    now = info.current_time.ToDatetime(timezone.utc)
    ahead = (now - datetime.now(timezone.utc)).total_seconds() / 86400
    config = info.effective_config
    if not config.enabled:
        how = "held until it is moved: temporal_time.fast_forward, .until, .release"
    elif config.HasField("fast_forward_config"):
        how = f"on its way {config.fast_forward_config.duration.ToTimedelta()} ahead"
    else:
        how = "runs by itself, as soon as nothing is in flight and a timer is there"
    return f"{now.replace(microsecond=0, tzinfo=None)} (UTC, {ahead:.1f} days ahead), {how}"
