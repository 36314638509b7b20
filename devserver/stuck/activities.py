"""What is stuck among a workflow's activities: retried too often, paused, or taken by nobody."""

from __future__ import annotations

from temporalio.api.enums.v1 import PendingActivityState as Activity
from temporalio.api.workflow.v1 import PendingActivityInfo

from ..client.timestamps import to_datetime
from . import hints
from .inspection import ACTIVITY, Inspection, because


async def look_at_activities(look: Inspection) -> None:
    """Add what is found to the look."""
    for activity in look.raw.pending_activities:
        await _activity(look, activity)


async def _activity(look: Inspection, activity: PendingActivityInfo) -> None:
    name, attempt = activity.activity_type.name, activity.attempt
    of = {"activity_id": activity.activity_id, "activity_type": name, "attempts": attempt}
    queue = await _queue_of(look, activity)
    if activity.paused:
        await _paused_activity(look, activity, queue)
        return
    scheduled = activity.state == Activity.PENDING_ACTIVITY_STATE_SCHEDULED
    due = look.real(to_datetime(activity.scheduled_time))
    if scheduled and queue:
        look.need((queue, ACTIVITY), due if due <= look.now else None)
    if attempt >= look.thresholds.attempts:
        await _retrying(look, activity, queue)
    elif scheduled and look.waits(due):
        what = f"its activity {name} waits for a worker to take it"
        hint = hints.busy_workers(queue, "activity")
        finding = look.finding("activity_waiting", what, hint, queue=queue, since=due, **of)
        look.suspect(finding, (queue, ACTIVITY))


async def _retrying(look: Inspection, activity: PendingActivityInfo, queue: str) -> None:
    name, attempt = activity.activity_type.name, activity.attempt
    runs = activity.state == Activity.PENDING_ACTIVITY_STATE_STARTED
    most = f" of {activity.maximum_attempts}" if activity.maximum_attempts else ""
    next_retry = None
    if not runs and activity.HasField("next_attempt_schedule_time"):
        next_retry = look.real(to_datetime(activity.next_attempt_schedule_time))
    scheduled = (await look.end()).scheduled(activity.activity_id)
    what = f"its activity {name} fails: attempt {attempt}{most} {'runs' if runs else 'comes next'}"
    finding = look.finding(
        "activity_retrying",
        what,
        hints.failing_activity(look.id, activity.activity_id),
        queue=queue,
        since=look.real(scheduled.at) if scheduled is not None else None,
        attempts=attempt,
        next_retry=next_retry,
        activity_id=activity.activity_id,
        activity_type=name,
        **await look.told(activity.last_failure if activity.HasField("last_failure") else None),
    )
    look.suspect(finding)


async def _paused_activity(look: Inspection, activity: PendingActivityInfo, queue: str) -> None:
    pause = activity.pause_info
    by = f" by {pause.manual.identity}" if pause.manual.identity else ""
    rule = f" by the rule {pause.rule.rule_id}" if pause.rule.rule_id else ""
    name = activity.activity_type.name
    what = f"its activity {name} is paused{by}{rule}{because(pause.manual.reason or pause.rule.reason)}"
    finding = look.finding(
        "activity_paused",
        what,
        hints.unpause_activity(look.id, activity.activity_id),
        queue=queue,
        since=look.real(to_datetime(pause.pause_time)) if pause.HasField("pause_time") else None,
        attempts=activity.attempt,
        activity_id=activity.activity_id,
        activity_type=name,
        **await look.told(activity.last_failure if activity.HasField("last_failure") else None),
    )
    look.suspect(finding)


async def _queue_of(look: Inspection, activity: PendingActivityInfo) -> str:
    if activity.activity_options.task_queue.name:
        return activity.activity_options.task_queue.name
    scheduled = (await look.end()).scheduled(activity.activity_id)  # servers before 1.27 do not describe it
    return scheduled.task_queue if scheduled is not None else look.info.task_queue
