"""What the end of a history says that a description does not: timers, failed workflow tasks, how activities began."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from temporalio.api.enums.v1 import EventType, TimeoutType, WorkflowTaskFailedCause
from temporalio.api.failure.v1 import Failure
from temporalio.api.history.v1 import HistoryEvent
from temporalio.api.workflowservice.v1 import DescribeWorkflowExecutionResponse

from ..client.sdks import SdkName, sdk_named
from ..client.timestamps import to_datetime, to_timedelta
from .events import cause_words, open_timers

# The code did not fail: a signal came in between, the workflow was reset or paused.
ENDED_BY_THE_SERVER = (
    WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_UNHANDLED_COMMAND,
    WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_RESET_STICKY_TASK_QUEUE,
    WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_RESET_WORKFLOW,
    39,  # paused before the task was started; older SDKs have no name for it
)


@dataclass(frozen=True)
class PendingTimer:
    """A timer that was started and has not ended; `due` is in the workflow's own time."""

    timer_id: str
    due: datetime


@dataclass(frozen=True)
class FailedTask:
    """Workflow tasks that have failed in a row.

    Attributes:
        since: When the first of them failed.
        cause: A number of `WorkflowTaskFailedCause`; 0 for a timeout. `cause_text` is the same in words.
        failure: The last failure that says something; None if none does.
        timed_out: A worker started the task and did not answer in time.
        worker: The identity of the worker that had the last of them; empty if the events that were read lack it.
        sdk: The SDK of the workers; None if the events that were read do not show it.
    """

    since: datetime
    cause: int
    cause_text: str
    failure: Failure | None
    timed_out: bool = False
    worker: str = ""
    count: int = 1
    sdk: SdkName | None = None


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
        """Timers that were started in these events and neither fired nor were canceled."""
        times = {event.event_id: event.event_time for event in self.events}
        for event_id, timer in open_timers(self.events).items():
            due = to_datetime(times[event_id]) + to_timedelta(timer.start_to_fire_timeout)
            yield PendingTimer(timer.timer_id, due)

    def failed_task(self) -> FailedTask | None:
        """The workflow tasks that have failed since the last one that was completed."""
        failed: list[FailedTask] = []
        workers = {
            event.event_id: event.workflow_task_started_event_attributes.identity
            for event in self.events
            if event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_STARTED
        }
        for event in self.events:
            if event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED:
                break
            task = _failed_task(event, workers)
            if task is not None:
                failed.append(task)
        if not failed:
            return None
        last = next((task for task in failed if task.failure is not None), failed[0])
        return replace(last, since=failed[-1].since, count=len(failed), sdk=self._sdk(last.failure))

    def _sdk(self, failure: Failure | None) -> SdkName | None:
        """The SDK that completed workflow tasks, else the one that sent the failure."""
        for event in self.events:
            if event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED:
                found = sdk_named(event.workflow_task_completed_event_attributes.sdk_metadata.sdk_name)
                if found is not None:
                    return found
        return sdk_named(failure.source) if failure is not None else None

    def scheduled(self, activity_id: str) -> ScheduledActivity | None:
        """How the activity was scheduled; None if that is further back."""
        for event in self.events:
            if event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED:
                attributes = event.activity_task_scheduled_event_attributes
                if attributes.activity_id == activity_id:
                    return ScheduledActivity(to_datetime(event.event_time), attributes.task_queue.name)
        return None


def _failed_task(event: HistoryEvent, workers: Mapping[int, str]) -> FailedTask | None:
    at = to_datetime(event.event_time)
    if event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT:
        timeout = event.workflow_task_timed_out_event_attributes
        if timeout.timeout_type == TimeoutType.TIMEOUT_TYPE_SCHEDULE_TO_START:
            return None  # no worker started it: the worker with the workflow in its cache has gone
        return FailedTask(at, 0, "", None, timed_out=True, worker=workers.get(timeout.started_event_id, ""))
    if event.event_type != EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED:
        return None
    attributes = event.workflow_task_failed_event_attributes
    if attributes.cause in ENDED_BY_THE_SERVER:
        return None
    failure = attributes.failure
    says_something = attributes.HasField("failure") and (failure.message or failure.HasField("encoded_attributes"))
    cause, said = cause_words(attributes), failure if says_something else None
    return FailedTask(at, attributes.cause, cause, said, worker=attributes.identity)


def clock_ahead(description: DescribeWorkflowExecutionResponse, now: datetime) -> timedelta:
    """How far time skipping has set a workflow's own clock ahead of ours."""
    extended = description.workflow_extended_info
    if not extended.HasField("time_skipping_info"):
        return timedelta(0)
    return to_datetime(extended.time_skipping_info.current_time) - now
