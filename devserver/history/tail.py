"""What the end of a history tells that a description does not: timers, the last failed task, when a step began."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from temporalio.api.enums.v1 import EventType, WorkflowTaskFailedCause
from temporalio.api.failure.v1 import Failure
from temporalio.api.history.v1 import HistoryEvent
from temporalio.api.workflowservice.v1 import DescribeWorkflowExecutionResponse

from ..client.timestamps import to_datetime

# Not the code's fault: a signal came in between, the workflow was reset or paused.
ENDED_BY_THE_SERVER = (
    WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_UNHANDLED_COMMAND,
    WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_RESET_STICKY_TASK_QUEUE,
    WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_RESET_WORKFLOW,
    39,  # paused before it was started; older SDKs have no name for it
)


@dataclass(frozen=True)
class PendingTimer:
    """A timer that was started and has not fired; `due` is in the workflow's own time."""

    timer_id: str
    due: datetime


@dataclass(frozen=True)
class FailedTask:
    """The workflow's tasks that have failed in a row: since when, and with what; None: out of time."""

    since: datetime
    cause: int
    failure: Failure | None
    count: int = 1


@dataclass(frozen=True)
class ScheduledActivity:
    """How an activity was scheduled for its first attempt."""

    at: datetime
    task_queue: str


@dataclass(frozen=True)
class HistoryTail:
    """The last events of a run, the newest first."""

    events: Sequence[HistoryEvent]

    @property
    def whole(self) -> bool:
        """Whether it reaches back to the first event."""
        return bool(self.events) and self.events[-1].event_id == 1

    def pending_timers(self) -> Iterator[PendingTimer]:
        """Timers that were started within it and neither fired nor were cancelled."""
        over = set()
        for event in self.events:
            if event.event_type == EventType.EVENT_TYPE_TIMER_FIRED:
                over.add(event.timer_fired_event_attributes.started_event_id)
            elif event.event_type == EventType.EVENT_TYPE_TIMER_CANCELED:
                over.add(event.timer_canceled_event_attributes.started_event_id)
            elif event.event_type == EventType.EVENT_TYPE_TIMER_STARTED and event.event_id not in over:
                started = event.timer_started_event_attributes
                due = to_datetime(event.event_time) + started.start_to_fire_timeout.ToTimedelta()
                yield PendingTimer(started.timer_id, due)

    def failed_task(self) -> FailedTask | None:
        """What the workflow's tasks have failed with since the last one that was completed."""
        failed: list[FailedTask] = []
        for event in self.events:
            if event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED:
                break
            each = _failed(event)
            if each is not None:
                failed.append(each)
        if not failed:
            return None
        told = next((each for each in failed if each.failure is not None), failed[0])
        return replace(told, since=failed[-1].since, count=len(failed))

    def scheduled(self, activity_id: str) -> ScheduledActivity | None:
        """How the activity was scheduled, if that is within it."""
        for event in self.events:
            if event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED:
                attributes = event.activity_task_scheduled_event_attributes
                if attributes.activity_id == activity_id:
                    return ScheduledActivity(to_datetime(event.event_time), attributes.task_queue.name)
        return None


def _failed(event: HistoryEvent) -> FailedTask | None:
    if event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT:
        return FailedTask(to_datetime(event.event_time), 0, None)
    if event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED:
        attributes = event.workflow_task_failed_event_attributes
        told = attributes.HasField("failure") and (
            attributes.failure.message or attributes.failure.HasField("encoded_attributes")
        )
        if attributes.cause not in ENDED_BY_THE_SERVER:
            return FailedTask(to_datetime(event.event_time), attributes.cause, attributes.failure if told else None)
    return None


def clock_ahead(description: DescribeWorkflowExecutionResponse, now: datetime) -> timedelta:
    """How far time skipping has set a workflow's own clock ahead of ours."""
    extended = description.workflow_extended_info
    if not extended.HasField("time_skipping_info"):
        return timedelta(0)
    return to_datetime(extended.time_skipping_info.current_time) - now
