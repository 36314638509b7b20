"""Examines one open workflow: what is blocked in it, and which task queues it needs workers on."""

from __future__ import annotations

from temporalio.api.enums.v1 import PendingWorkflowTaskState as Task

from ..client.calls import ServiceCalls
from ..client.statuses import OPEN_STATUSES, PAUSED
from ..client.timestamps import to_datetime
from ..history.tail import FailedTask
from . import causes, hints
from .activities import inspect_activities
from .findings import Finding
from .inspection import WORKFLOW, Diagnosis, Inspection, InspectionRules, Queue, because

# The shortest history with a timer: run started, task scheduled, started and completed, timer started.
MIN_EVENTS_WITH_TIMER = 5
# And with a failed task: run started, task scheduled, started and failed.
MIN_EVENTS_WITH_FAILURE = 4


async def diagnose(calls: ServiceCalls, workflow_id: str, run_id: str, rules: InspectionRules) -> Diagnosis:
    """Examine a run; nothing is found in a closed or missing one."""
    description = await calls.describe_workflow(workflow_id, run_id)
    if description is None or description.workflow_execution_info.status not in OPEN_STATUSES:
        return Diagnosis()
    return await _diagnosis(Inspection(calls, description, rules))


async def _diagnosis(inspection: Inspection) -> Diagnosis:
    if inspection.info.status == PAUSED:
        inspection.add_suspect(_paused(inspection))
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
    if inspection.info.history_length >= MIN_EVENTS_WITH_FAILURE and (task.attempt > 1 or inspection.may_read()):
        failed = (await inspection.tail()).failed_task()
        # The server restarts its count when a signal comes in between; the history has all failures.
        attempt = max(task.attempt, failed.count + 1) if failed is not None else task.attempt
        if failed is not None and attempt >= inspection.thresholds.workflow_task_attempts:
            await _failing(inspection, failed, attempt, queue)
            return
    if task.state == Task.PENDING_WORKFLOW_TASK_STATE_SCHEDULED and inspection.waits_too_long(since):
        what = "its workflow task is waiting for a worker"
        inspection.add_waiting(inspection.finding("workflow_task_waiting", what, since=since), queue, since)


async def _failing(inspection: Inspection, failed: FailedTask, attempt: int, queue: Queue) -> None:
    since = inspection.to_real_time(failed.since)
    failure_fields = await inspection.failure_fields(failed.failure)
    hint = causes.of_workflow_task(inspection.id, failed, failure_fields.get("failure", ()))
    if failed.timed_out:
        what = "its workflow task times out: a worker starts it and does not answer"
    else:
        what = "its workflow task keeps failing" + ("" if failure_fields else f" ({failed.cause_text})")
    finding = inspection.finding("workflow_task_failing", what, hint, since=since, attempts=attempt, **failure_fields)
    inspection.add_suspect(finding, queue)


async def _timers(inspection: Inspection) -> None:
    """Find late timers. While a worker runs a task, timers that fire are held back until it ends."""
    if inspection.info.history_length < MIN_EVENTS_WITH_TIMER:
        return
    task = inspection.raw.pending_workflow_task
    if inspection.raw.HasField("pending_workflow_task") and task.state != Task.PENDING_WORKFLOW_TASK_STATE_SCHEDULED:
        return
    if not inspection.may_read():
        return
    tail = await inspection.tail()
    inspection.found.unseen = not tail.whole
    for timer in tail.pending_timers():
        due = inspection.to_real_time(timer.due)
        if inspection.now - due > inspection.thresholds.late:
            what = f"its timer {timer.timer_id} is overdue"
            inspection.add_suspect(inspection.finding("timer_late", what, hints.late_timer(inspection.id), since=due))
