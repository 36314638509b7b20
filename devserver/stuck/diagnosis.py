"""Looks at one open workflow from all sides and says what is stuck in it, and which task queues it needs workers on."""

from __future__ import annotations

from datetime import datetime

from temporalio.api.enums.v1 import PendingWorkflowTaskState as Task
from temporalio.api.enums.v1 import WorkflowTaskFailedCause

from ..client.calls import ServiceCalls
from ..client.timestamps import to_datetime
from ..history.tail import FailedTask
from . import hints
from .activities import look_at_activities
from .findings import Finding, Kind, Thresholds
from .inspection import WORKFLOW, Diagnosis, Inspection, Queue, Suspect, because

RUNNING, PAUSED = 1, 8
# The shortest history with a timer: started, a task scheduled, started and completed, the timer.
LEAST_WITH_TIMER = 5
# And with a task that failed: started, the task scheduled, started and failed.
LEAST_WITH_FAILURE = 4
NONDETERMINISM = "[TMPRL1100]"


async def diagnose(
    calls: ServiceCalls, workflow_id: str, run_id: str, thresholds: Thresholds, now: datetime
) -> Diagnosis:
    """Look at a run; one that is over or gone brings nothing."""
    description = await calls.describe_workflow(workflow_id, run_id)
    if description is None or description.workflow_execution_info.status not in (RUNNING, PAUSED):
        return Diagnosis()
    return await _diagnosis(Inspection(calls, description, thresholds, now))


async def _diagnosis(look: Inspection) -> Diagnosis:
    if look.info.status == PAUSED:
        look.found.suspects.append(Suspect(_paused(look)))
        return look.found
    await _workflow_task(look)
    await look_at_activities(look)
    await _timers(look)
    return look.found


def _paused(look: Inspection) -> Finding:
    pause = look.raw.workflow_extended_info.pause_info
    by = f" by {pause.identity}" if pause.identity else ""
    what = f"paused{by}{because(pause.reason)}"
    since = look.real(to_datetime(pause.paused_time)) if pause.HasField("paused_time") else None
    return look.finding("workflow_paused", what, hints.unpause_workflow(look.id), since=since)


async def _workflow_task(look: Inspection) -> None:
    task = look.raw.pending_workflow_task
    queue: Queue = (look.info.task_queue, WORKFLOW)
    if not look.raw.HasField("pending_workflow_task"):
        look.need(queue, None)
        return
    since = look.real(to_datetime(task.scheduled_time))
    if task.state == Task.PENDING_WORKFLOW_TASK_STATE_SCHEDULED:
        look.need(queue, since)
    if look.info.history_length >= LEAST_WITH_FAILURE:
        failed = (await look.end()).failed_task()
        # The server counts anew when a signal comes in between; the history has them all.
        attempt = max(task.attempt, failed.count + 1) if failed is not None else task.attempt
        if failed is not None and attempt >= look.thresholds.workflow_task_attempts:
            await _failing(look, failed, attempt, queue)
            return
    if task.state == Task.PENDING_WORKFLOW_TASK_STATE_SCHEDULED and look.waits(since):
        what = "its workflow task waits for a worker to take it"
        hint = hints.busy_workers(queue[0], "workflow")
        look.suspect(look.finding("workflow_task_waiting", what, hint, since=since), queue)


async def _failing(look: Inspection, failed: FailedTask, attempt: int, queue: Queue) -> None:
    since = look.real(failed.since)
    kind: Kind = "workflow_task_failing"
    if failed.failure is None and failed.cause == 0:
        what = "its workflow task times out: a worker takes it and does not answer"
        hint = hints.slow_workflow_task(look.id)
        look.suspect(look.finding(kind, what, hint, since=since, attempts=attempt), queue)
        return
    told = await look.told(failed.failure)
    unfit = NONDETERMINISM in (told.get("last_failure") or "") or failed.cause == (
        WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_NON_DETERMINISTIC_ERROR
    )
    what = "its workflow task fails again and again" + ("" if told else f" ({failed.cause_text})")
    hint = hints.nondeterminism(look.id) if unfit else hints.workflow_code(look.id)
    look.suspect(look.finding(kind, what, hint, since=since, attempts=attempt, **told))


async def _timers(look: Inspection) -> None:
    """Timers that are late. While a task runs in a worker, what fires is kept back until that has ended."""
    if look.info.history_length < LEAST_WITH_TIMER:
        return
    task = look.raw.pending_workflow_task
    if look.raw.HasField("pending_workflow_task") and task.state != Task.PENDING_WORKFLOW_TASK_STATE_SCHEDULED:
        return
    tail = await look.end()
    look.found.unseen = not tail.whole
    for timer in tail.pending_timers():
        due = look.real(timer.due)
        if look.now - due > look.thresholds.late:
            what = f"its timer {timer.timer_id} should have fired and has not"
            look.suspect(look.finding("timer_late", what, hints.late_timer(look.id), since=due))
