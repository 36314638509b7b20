"""What an open workflow waits for: workers, activities, timers, children; and what to do if that is never to come."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta

from temporalio.api.history.v1 import HistoryEvent, TimerStartedEventAttributes
from temporalio.api.workflow.v1 import PendingActivityInfo
from temporalio.api.workflowservice.v1 import DescribeWorkflowExecutionResponse
from temporalio.client import Client

from ..replay.worker_code import WorkerCode
from ..workflows.tracebacks import failure_lines

LONG = timedelta(seconds=10)
SKIP = "@pytest.mark.temporal(time_skipping=True) lets it fire at once"


async def lines(
    client: Client,
    state: DescribeWorkflowExecutionResponse,
    events: Iterable[HistoryEvent],
    codes: Sequence[WorkerCode],
) -> list[str]:
    """A line for each thing that is waited for, and indented ones about it; `codes` is what the test's workers run."""
    found = _workflow_task(state, codes)
    for activity in state.pending_activities:
        found += await _activity(client, activity)
    skips = state.workflow_extended_info.HasField("time_skipping_info")
    found += [_timer(each, skips=skips) for each in _open_timers(events)]
    return found + [
        f"child workflow {child.workflow_id} ({child.workflow_type_name}) open" for child in state.pending_children
    ]


def _workflow_task(state: DescribeWorkflowExecutionResponse, codes: Sequence[WorkerCode]) -> list[str]:
    if not state.HasField("pending_workflow_task"):
        return []
    task, info = state.pending_workflow_task, state.workflow_execution_info
    found = [f"workflow task pending, attempt {task.attempt}"]
    polled = sorted({code.task_queue or "" for code in codes})
    if info.task_queue not in polled and not task.HasField("started_time"):
        instead = f"they poll {', '.join(map(repr, polled))}"
        start = f"start one: temporal.worker(workflows=[{info.type.name}])"
        found.append(f"no worker of this test polls its task queue {info.task_queue!r}; {instead if polled else start}")
    return found


async def _activity(client: Client, activity: PendingActivityInfo) -> list[str]:
    name = activity.activity_type.name
    most = f" of {activity.maximum_attempts}" if activity.maximum_attempts else ""
    began = activity.HasField("last_started_time")
    state = "paused" if activity.paused else "running" if began else "not started"
    if activity.HasField("next_attempt_schedule_time") and activity.HasField("last_failure"):
        state = f"waits {_retry(activity)} for its next attempt"
    found = [f"activity {name} pending: {state}, attempt {activity.attempt}{most}"]
    queue = activity.activity_options.task_queue.name
    if state == "not started" and queue:
        found.append(f"  no worker has taken it from the task queue {queue!r}; is there one with activities=[{name}]?")
    if activity.HasField("last_failure"):
        failure = await failure_lines(activity.last_failure, client.data_converter)
        found += [f"  last failure: {failure[0]}", *(f"  {line}" for line in failure[1:])]
    return found


def _retry(activity: PendingActivityInfo) -> str:
    """How long; the server counts from 1970 after an attempt that timed out, since that has no end."""
    if activity.HasField("last_attempt_complete_time"):
        return f"{activity.current_retry_interval.ToTimedelta().total_seconds():.3g} s"
    return f"until {activity.next_attempt_schedule_time.ToDatetime():%H:%M:%S}Z"


def _open_timers(events: Iterable[HistoryEvent]) -> list[TimerStartedEventAttributes]:
    timers: dict[int, TimerStartedEventAttributes] = {}
    for event in events:
        if event.HasField("timer_started_event_attributes"):
            timers[event.event_id] = event.timer_started_event_attributes
        for over in (event.timer_fired_event_attributes, event.timer_canceled_event_attributes):
            timers.pop(over.started_event_id, None)
    return list(timers.values())


def _timer(timer: TimerStartedEventAttributes, *, skips: bool) -> str:
    lasts = timer.start_to_fire_timeout.ToTimedelta()
    advice = f"; {SKIP}" if lasts >= LONG and not skips else ""
    return f"timer pending: {_span(lasts)}{advice}"


def _span(lasts: timedelta) -> str:
    days = f"{lasts.days} day{'s' * (lasts.days != 1)}"
    rest = lasts - timedelta(days=lasts.days)
    return days if lasts.days and not rest else f"{days} {rest}" if lasts.days else f"{lasts.total_seconds():g} s"
