"""Looks at one open workflow from all sides and says what is stuck in it, and which task queues it needs workers on."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from temporalio.api.enums.v1 import PendingActivityState as Activity
from temporalio.api.enums.v1 import PendingWorkflowTaskState as Task
from temporalio.api.enums.v1 import TaskQueueType, WorkflowTaskFailedCause
from temporalio.api.workflow.v1 import PendingActivityInfo, WorkflowExecutionInfo
from temporalio.api.workflowservice.v1 import DescribeWorkflowExecutionResponse

from . import hints
from .calls import Calls
from .failure_text import failure_text
from .findings import Finding, Kind, Thresholds
from .tail import FailedTask, Tail, moment

RUNNING, PAUSED = 1, 8
EVENTS = 200
# The shortest history with a timer: started, a task scheduled, started and completed, the timer.
LEAST_WITH_TIMER = 5
# And with a task that failed: started, the task scheduled, started and failed.
LEAST_WITH_FAILURE = 4
WORKFLOW, ACTIVITY = TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW, TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY
NONDETERMINISM = "[TMPRL1100]"

Queue = tuple[str, "TaskQueueType.ValueType"]


@dataclass(frozen=True)
class Need:
    """A task queue that a workflow needs a worker on; `since` a task waits there, None while there is none."""

    queue: Queue
    workflow: WorkflowExecutionInfo
    since: datetime | None


@dataclass(frozen=True)
class Suspect:
    """A finding that says nothing new if no worker polls `unless_unpolled` at all."""

    finding: Finding
    unless_unpolled: Queue | None = None


@dataclass
class Diagnosis:
    """What one workflow's look brings. `unseen` tells that timers may lie further back than was looked."""

    suspects: list[Suspect] = field(default_factory=list)
    needs: list[Need] = field(default_factory=list)
    open: bool = False
    unseen: bool = False


async def diagnose(calls: Calls, workflow_id: str, run_id: str, thresholds: Thresholds, now: datetime) -> Diagnosis:
    """Look at a run; one that is over or gone brings nothing."""
    description = await calls.described(workflow_id, run_id)
    if description is None or description.workflow_execution_info.status not in (RUNNING, PAUSED):
        return Diagnosis()
    return await _Look(calls, description, thresholds, now).diagnosis()


class _Look:
    """One description, with the end of the history where that is needed."""

    def __init__(
        self, calls: Calls, description: DescribeWorkflowExecutionResponse, thresholds: Thresholds, now: datetime
    ) -> None:
        self._calls = calls
        self._raw = description
        self._info = description.workflow_execution_info
        self._thresholds = thresholds
        self._now = now
        skipping = description.workflow_extended_info.time_skipping_info
        virtual = description.workflow_extended_info.HasField("time_skipping_info")
        self._ahead = moment(skipping.current_time) - now if virtual else timedelta(0)
        self._tail: Tail | None = None
        self._found = Diagnosis(open=True)

    async def diagnosis(self) -> Diagnosis:
        if self._info.status == PAUSED:
            self._found.suspects.append(Suspect(self._paused()))
            return self._found
        await self._workflow_task()
        for activity in self._raw.pending_activities:
            await self._activity(activity)
        await self._timers()
        return self._found

    def _paused(self) -> Finding:
        pause = self._raw.workflow_extended_info.pause_info
        by = f" by {pause.identity}" if pause.identity else ""
        what = f"paused{by}{_because(pause.reason)}"
        since = self._real(moment(pause.paused_time)) if pause.HasField("paused_time") else None
        return self._finding("workflow_paused", what, hints.unpause_workflow(self._id), since=since)

    async def _workflow_task(self) -> None:
        task = self._raw.pending_workflow_task
        queue: Queue = (self._info.task_queue, WORKFLOW)
        if not self._raw.HasField("pending_workflow_task"):
            self._need(queue, None)
            return
        since = self._real(moment(task.scheduled_time))
        if task.state == Task.PENDING_WORKFLOW_TASK_STATE_SCHEDULED:
            self._need(queue, since)
        if self._info.history_length >= LEAST_WITH_FAILURE:
            failed = (await self._end()).failed_task()
            # The server counts anew when a signal comes in between; the history has them all.
            attempt = max(task.attempt, failed.count + 1) if failed is not None else task.attempt
            if failed is not None and attempt >= self._thresholds.workflow_task_attempts:
                await self._failing(failed, attempt, queue)
                return
        if task.state == Task.PENDING_WORKFLOW_TASK_STATE_SCHEDULED and self._waits(since):
            what = "its workflow task waits for a worker to take it"
            hint = hints.busy_workers(queue[0], "workflow")
            self._suspect(self._finding("workflow_task_waiting", what, hint, since=since), queue)

    async def _failing(self, failed: FailedTask, attempt: int, queue: Queue) -> None:
        since = self._real(failed.since)
        kind: Kind = "workflow_task_failing"
        if failed.failure is None and failed.cause == 0:
            what = "its workflow task times out: a worker takes it and does not answer"
            hint = hints.slow_workflow_task(self._id)
            self._suspect(self._finding(kind, what, hint, since=since, attempts=attempt), queue)
            return
        told = await self._told(failed.failure)
        unfit = NONDETERMINISM in (told.get("last_failure") or "") or failed.cause == (
            WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_NON_DETERMINISTIC_ERROR
        )
        what = "its workflow task fails again and again" + ("" if told else f" ({_cause(failed.cause)})")
        hint = hints.nondeterminism(self._id) if unfit else hints.workflow_code(self._id)
        self._suspect(self._finding(kind, what, hint, since=since, attempts=attempt, **told))

    async def _activity(self, activity: PendingActivityInfo) -> None:
        name, attempt = activity.activity_type.name, activity.attempt
        of = {"activity_id": activity.activity_id, "activity_type": name, "attempts": attempt}
        queue = await self._queue_of(activity)
        if activity.paused:
            await self._paused_activity(activity, queue)
            return
        scheduled = activity.state == Activity.PENDING_ACTIVITY_STATE_SCHEDULED
        due = self._real(moment(activity.scheduled_time))
        if scheduled and queue:
            self._need((queue, ACTIVITY), due if due <= self._now else None)
        if attempt >= self._thresholds.attempts:
            await self._retrying(activity, queue)
        elif scheduled and self._waits(due):
            what = f"its activity {name} waits for a worker to take it"
            hint = hints.busy_workers(queue, "activity")
            finding = self._finding("activity_waiting", what, hint, queue=queue, since=due, **of)
            self._suspect(finding, (queue, ACTIVITY))

    async def _retrying(self, activity: PendingActivityInfo, queue: str) -> None:
        name, attempt = activity.activity_type.name, activity.attempt
        runs = activity.state == Activity.PENDING_ACTIVITY_STATE_STARTED
        most = f" of {activity.maximum_attempts}" if activity.maximum_attempts else ""
        next_retry = None
        if not runs and activity.HasField("next_attempt_schedule_time"):
            next_retry = self._real(moment(activity.next_attempt_schedule_time))
        scheduled = (await self._end()).scheduled(activity.activity_id)
        what = f"its activity {name} fails: attempt {attempt}{most} {'runs' if runs else 'comes next'}"
        finding = self._finding(
            "activity_retrying",
            what,
            hints.failing_activity(self._id, activity.activity_id),
            queue=queue,
            since=self._real(scheduled.at) if scheduled is not None else None,
            attempts=attempt,
            next_retry=next_retry,
            activity_id=activity.activity_id,
            activity_type=name,
            **await self._told(activity.last_failure if activity.HasField("last_failure") else None),
        )
        self._suspect(finding)

    async def _paused_activity(self, activity: PendingActivityInfo, queue: str) -> None:
        pause = activity.pause_info
        by = f" by {pause.manual.identity}" if pause.manual.identity else ""
        rule = f" by the rule {pause.rule.rule_id}" if pause.rule.rule_id else ""
        name = activity.activity_type.name
        what = f"its activity {name} is paused{by}{rule}{_because(pause.manual.reason or pause.rule.reason)}"
        finding = self._finding(
            "activity_paused",
            what,
            hints.unpause_activity(self._id, activity.activity_id),
            queue=queue,
            since=self._real(moment(pause.pause_time)) if pause.HasField("pause_time") else None,
            attempts=activity.attempt,
            activity_id=activity.activity_id,
            activity_type=name,
            **await self._told(activity.last_failure if activity.HasField("last_failure") else None),
        )
        self._suspect(finding)

    async def _timers(self) -> None:
        """Timers that are late. While a task runs in a worker, what fires is kept back until that has ended."""
        if self._info.history_length < LEAST_WITH_TIMER:
            return
        task = self._raw.pending_workflow_task
        if self._raw.HasField("pending_workflow_task") and task.state != Task.PENDING_WORKFLOW_TASK_STATE_SCHEDULED:
            return
        tail = await self._end()
        self._found.unseen = not tail.whole
        for timer in tail.pending_timers():
            due = self._real(timer.due)
            if self._now - due > self._thresholds.late:
                what = f"its timer {timer.timer_id} should have fired and has not"
                self._suspect(self._finding("timer_late", what, hints.late_timer(self._id), since=due))

    async def _queue_of(self, activity: PendingActivityInfo) -> str:
        if activity.activity_options.task_queue.name:
            return activity.activity_options.task_queue.name
        scheduled = (await self._end()).scheduled(activity.activity_id)  # servers before 1.27 do not describe it
        return scheduled.task_queue if scheduled is not None else self._info.task_queue

    async def _end(self) -> Tail:
        if self._tail is None:
            self._tail = Tail(await self._calls.last_events(self._info.execution, EVENTS))
        return self._tail

    async def _told(self, failure: Any) -> dict[str, Any]:
        if failure is None:
            return {}
        text = await failure_text(failure, self._calls.client.data_converter)
        return {"last_failure": text.line, "failure": text.lines}

    def _real(self, when: datetime) -> datetime:
        """A moment of the workflow's own clock, which time skipping may have set ahead, on ours."""
        return when - self._ahead

    def _waits(self, since: datetime) -> bool:
        return self._now - since > self._thresholds.waiting

    def _need(self, queue: Queue, since: datetime | None) -> None:
        self._found.needs.append(Need(queue, self._info, since))

    def _suspect(self, finding: Finding, unless_unpolled: Queue | None = None) -> None:
        self._found.suspects.append(Suspect(finding, unless_unpolled))

    @property
    def _id(self) -> str:
        return self._info.execution.workflow_id

    def _finding(self, kind: Kind, what: str, hint: hints.Hint, *, queue: str | None = None, **more: Any) -> Finding:
        return Finding(
            kind=kind,
            workflow_id=self._id,
            run_id=self._info.execution.run_id,
            workflow_type=self._info.type.name,
            task_queue=self._info.task_queue if queue is None else queue,
            what=what,
            hint=hint.text,
            command=hint.command,
            **more,
        )


def _because(reason: str) -> str:
    return f": {reason}" if reason else ""


def _cause(cause: int) -> str:
    if cause not in WorkflowTaskFailedCause.values():
        return f"cause {cause}"
    name = WorkflowTaskFailedCause.Name(cause)  # type: ignore[arg-type] # looked up right above
    return name.removeprefix("WORKFLOW_TASK_FAILED_CAUSE_").lower().replace("_", " ")
