"""What an open workflow waits for: workers, activities, timers, children; and what to do if it waits for nothing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta

from temporalio.api.enums.v1 import PendingActivityState
from temporalio.api.history.v1 import HistoryEvent, TimerStartedEventAttributes
from temporalio.api.workflow.v1 import PendingActivityInfo
from temporalio.api.workflowservice.v1 import DescribeWorkflowExecutionResponse
from temporalio.client import Client

from devserver.client import SDK, ServiceCalls
from devserver.history import open_timers

from ..replay.worker_code import WorkerCode
from ..workers.pollers import ACTIVITY, BUSY, WORKFLOW, last_poll, since_text
from .tracebacks import failure_lines

LONG_TIMER = timedelta(seconds=10)
SKIP_ADVICE = "use @pytest.mark.temporal(time_skipping=True) to skip it"


async def pending_lines(
    client: Client,
    state: DescribeWorkflowExecutionResponse,
    events: Iterable[HistoryEvent],
    codes: Sequence[WorkerCode],
) -> list[str]:
    """A line for each thing that the workflow waits for, with indented details; `codes` is what the workers run."""
    lines = await _workflow_task(client, state, codes)
    for activity in state.pending_activities:
        lines += await _activity(client, activity)
    skips = state.workflow_extended_info.HasField("time_skipping_info")
    lines += [_timer(timer, skips=skips) for timer in open_timers(events).values()]
    return lines + [
        f"child workflow {child.workflow_id} ({child.workflow_type_name}) open" for child in state.pending_children
    ]


async def _workflow_task(
    client: Client, state: DescribeWorkflowExecutionResponse, codes: Sequence[WorkerCode]
) -> list[str]:
    if not state.HasField("pending_workflow_task"):
        return []
    task, info = state.pending_workflow_task, state.workflow_execution_info
    lines = [f"workflow task pending, attempt {task.attempt}"]
    polled = sorted({code.task_queue or "" for code in codes})
    if task.HasField("started_time"):
        return lines
    if info.task_queue in polled:
        since = await last_poll(ServiceCalls(client, retries=SDK), info.task_queue, WORKFLOW)
        if since is not None:
            lines.append(f"{since_text(info.task_queue, since)}, and none has started it: {BUSY}")
        else:
            lines.append(f"no worker polls its task queue {info.task_queue!r} now: those of this test have stopped")
    else:
        others = f"they poll {', '.join(map(repr, polled))}"
        advice = f"start one: temporal.worker(workflows=[{info.type.name}])"
        lines.append(f"no worker of this test polls its task queue {info.task_queue!r}; {others if polled else advice}")
    return lines


async def _activity(client: Client, activity: PendingActivityInfo) -> list[str]:
    name = activity.activity_type.name
    limit = f" of {activity.maximum_attempts}" if activity.maximum_attempts else ""
    waits = activity.state == PendingActivityState.PENDING_ACTIVITY_STATE_SCHEDULED
    backs_off = activity.HasField("next_attempt_schedule_time") and activity.HasField("last_failure")
    if activity.paused:
        state = "paused"
    elif not waits:
        state = "running"
    elif backs_off:
        state = f"waits {_retry(activity)} for its next attempt"
    else:
        state = "not started" if activity.attempt == 1 else "waits for a worker"
    lines = [f"activity {name} pending: {state}, attempt {activity.attempt}{limit}"]
    if waits and not backs_off and not activity.paused and activity.activity_options.task_queue.name:
        lines.append(f"  {await _waits(client, activity)}")
    if activity.HasField("last_failure"):
        failure = await failure_lines(activity.last_failure, client.data_converter)
        lines += [f"  last failure: {failure[0]}", *(f"  {line}" for line in failure[1:])]
    return lines


async def _waits(client: Client, activity: PendingActivityInfo) -> str:
    """What the server shows of workers for an activity that waits for one."""
    name, queue = activity.activity_type.name, activity.activity_options.task_queue.name
    since = await last_poll(ServiceCalls(client, retries=SDK), queue, ACTIVITY)
    if since is not None:
        return f"{since_text(queue, since)}, and none has started it: {BUSY}"
    if activity.attempt > 1:
        return f"no worker polls the task queue {queue!r} now"
    return f"no worker has polled it from the task queue {queue!r}: start one with activities=[{name}]"


def _retry(activity: PendingActivityInfo) -> str:
    """How long until the next attempt. After a timeout the server gives no interval, only the time."""
    if activity.HasField("last_attempt_complete_time"):
        return f"{activity.current_retry_interval.ToTimedelta().total_seconds():.3g} s"
    return f"until {activity.next_attempt_schedule_time.ToDatetime():%H:%M:%S}Z"


def _timer(timer: TimerStartedEventAttributes, *, skips: bool) -> str:
    duration = timer.start_to_fire_timeout.ToTimedelta()
    advice = f"; {SKIP_ADVICE}" if duration >= LONG_TIMER and not skips else ""
    return f"timer pending: {_duration(duration)}{advice}"


def _duration(duration: timedelta) -> str:
    days = f"{duration.days} day{'s' * (duration.days != 1)}"
    rest = duration - timedelta(days=duration.days)
    return (
        days if duration.days and not rest else f"{days} {rest}" if duration.days else f"{duration.total_seconds():g} s"
    )
