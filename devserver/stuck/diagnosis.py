"""Examines one open workflow: what is blocked in it, and which task queues it needs workers on."""

from __future__ import annotations

from datetime import datetime

from temporalio.api.enums.v1 import PendingWorkflowTaskState as Task
from temporalio.api.enums.v1 import WorkflowTaskFailedCause

from ..client.calls import ServiceCalls
from ..client.statuses import OPEN_STATUSES, PAUSED
from ..client.timestamps import to_datetime
from ..history.tail import FailedTask
from . import hints
from .activities import inspect_activities
from .findings import Finding, Kind, Thresholds
from .inspection import WORKFLOW, Diagnosis, Inspection, Queue, Suspect, because

# The shortest history with a timer: run started, task scheduled, started and completed, timer started.
MIN_EVENTS_WITH_TIMER = 5
# And with a failed task: run started, task scheduled, started and failed.
MIN_EVENTS_WITH_FAILURE = 4
NONDETERMINISM = "[TMPRL1100]"


async def diagnose(
    calls: ServiceCalls, workflow_id: str, run_id: str, thresholds: Thresholds, now: datetime
) -> Diagnosis:
    """Examine a run; nothing is found in a closed or missing one."""
    description = await calls.describe_workflow(workflow_id, run_id)
    if description is None or description.workflow_execution_info.status not in OPEN_STATUSES:
        return Diagnosis()
    return await _diagnosis(Inspection(calls, description, thresholds, now))


async def _diagnosis(inspection: Inspection) -> Diagnosis:
    if inspection.info.status == PAUSED:
        inspection.found.suspects.append(Suspect(_paused(inspection)))
        return inspection.found
    await _workflow_task(inspection)
    await inspect_activities(inspection)
    await _timers(inspection)
    return inspection.found


def _paused(inspection: Inspection) -> Finding:
    pause = inspection.raw.workflow_extended_info.pause_info
    by = f" by {pause.identity}" if pause.identity else ""
    what = f"paused{by}{because(pause.reason)}"
    since = inspection.to_real_time(to_datetime(pause.paused_time)) if pause.HasField("paused_time") else None
    return inspection.finding("workflow_paused", what, hints.unpause_workflow(inspection.id), since=since)


async def _workflow_task(inspection: Inspection) -> None:
    task = inspection.raw.pending_workflow_task
    queue: Queue = (inspection.info.task_queue, WORKFLOW)
    if not inspection.raw.HasField("pending_workflow_task"):
        inspection.add_need(queue, None)
        return
    since = inspection.to_real_time(to_datetime(task.scheduled_time))
    if task.state == Task.PENDING_WORKFLOW_TASK_STATE_SCHEDULED:
        inspection.add_need(queue, since)
    if inspection.info.history_length >= MIN_EVENTS_WITH_FAILURE:
        failed = (await inspection.tail()).failed_task()
        # The server restarts its count when a signal comes in between; the history has all failures.
        attempt = max(task.attempt, failed.count + 1) if failed is not None else task.attempt
        if failed is not None and attempt >= inspection.thresholds.workflow_task_attempts:
            await _failing(inspection, failed, attempt, queue)
            return
    if task.state == Task.PENDING_WORKFLOW_TASK_STATE_SCHEDULED and inspection.waits_too_long(since):
        what = "its workflow task is waiting for a worker"
        hint = hints.busy_workers(queue[0], "workflow")
        inspection.add_suspect(inspection.finding("workflow_task_waiting", what, hint, since=since), queue)


async def _failing(inspection: Inspection, failed: FailedTask, attempt: int, queue: Queue) -> None:
    since = inspection.to_real_time(failed.since)
    kind: Kind = "workflow_task_failing"
    if failed.failure is None and failed.cause == 0:
        what = "its workflow task times out: a worker starts it and does not answer"
        hint = hints.slow_workflow_task(inspection.id)
        inspection.add_suspect(inspection.finding(kind, what, hint, since=since, attempts=attempt), queue)
        return
    failure_fields = await inspection.failure_fields(failed.failure)
    nondeterministic = any(NONDETERMINISM in line for line in failure_fields.get("failure", ())) or failed.cause == (
        WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_NON_DETERMINISTIC_ERROR
    )
    what = "its workflow task keeps failing" + ("" if failure_fields else f" ({failed.cause_text})")
    hint = hints.nondeterminism(inspection.id) if nondeterministic else hints.workflow_code(inspection.id)
    inspection.add_suspect(inspection.finding(kind, what, hint, since=since, attempts=attempt, **failure_fields))


async def _timers(inspection: Inspection) -> None:
    """Find late timers. While a worker runs a task, timers that fire are held back until it ends."""
    if inspection.info.history_length < MIN_EVENTS_WITH_TIMER:
        return
    task = inspection.raw.pending_workflow_task
    if inspection.raw.HasField("pending_workflow_task") and task.state != Task.PENDING_WORKFLOW_TASK_STATE_SCHEDULED:
        return
    tail = await inspection.tail()
    inspection.found.unseen = not tail.whole
    for timer in tail.pending_timers():
        due = inspection.to_real_time(timer.due)
        if inspection.now - due > inspection.thresholds.late:
            what = f"its timer {timer.timer_id} is overdue"
            inspection.add_suspect(inspection.finding("timer_late", what, hints.late_timer(inspection.id), since=due))
