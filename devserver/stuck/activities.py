"""Finds blocked activities of a workflow: retried too often, paused, or not started by any worker."""

from __future__ import annotations

from typing import Any

from temporalio.api.enums.v1 import PendingActivityState as Activity
from temporalio.api.workflow.v1 import PendingActivityInfo

from ..client.timestamps import to_datetime
from . import causes, hints
from .inspection import ACTIVITY, Inspection, because


async def inspect_activities(inspection: Inspection) -> None:
    """Add findings about the pending activities."""
    for activity in inspection.raw.pending_activities:
        await _activity(inspection, activity)


async def _activity(inspection: Inspection, activity: PendingActivityInfo) -> None:
    name, attempt = activity.activity_type.name, activity.attempt
    of: dict[str, Any] = {"activity_id": activity.activity_id, "activity_type": name, "attempts": attempt}
    queue = await _queue_of(inspection, activity)
    if activity.paused:
        await _paused_activity(inspection, activity, queue)
        return
    scheduled = activity.state == Activity.PENDING_ACTIVITY_STATE_SCHEDULED
    due = inspection.to_real_time(to_datetime(activity.scheduled_time))
    if scheduled and queue:
        inspection.add_need((queue, ACTIVITY), due if due <= inspection.now else None)
    if attempt >= inspection.thresholds.attempts:
        await _retrying(inspection, activity, queue)
    if scheduled and inspection.waits_too_long(due):
        what = f"its activity {name} is waiting for a worker"
        finding = inspection.finding("activity_waiting", what, queue=queue, since=due, **of)
        inspection.add_waiting(finding, (queue, ACTIVITY), due)


async def _retrying(inspection: Inspection, activity: PendingActivityInfo, queue: str) -> None:
    name, attempt = activity.activity_type.name, activity.attempt
    runs = activity.state == Activity.PENDING_ACTIVITY_STATE_STARTED
    most = f" of {activity.maximum_attempts}" if activity.maximum_attempts else ""
    next_retry = None
    if not runs and activity.HasField("next_attempt_schedule_time"):
        next_retry = inspection.to_real_time(to_datetime(activity.next_attempt_schedule_time))
    scheduled = (await inspection.tail()).scheduled(activity.activity_id)
    what = f"its activity {name} fails: attempt {attempt}{most} {'is running' if runs else 'comes next'}"
    failure_fields = await inspection.failure_fields(
        activity.last_failure if activity.HasField("last_failure") else None
    )
    finding = inspection.finding(
        "activity_retrying",
        what,
        causes.of_activity(inspection.id, activity, failure_fields.get("failure", ())),
        queue=queue,
        since=inspection.to_real_time(scheduled.at) if scheduled is not None else None,
        attempts=attempt,
        next_retry=next_retry,
        activity_id=activity.activity_id,
        activity_type=name,
        **failure_fields,
    )
    inspection.add_suspect(finding)


async def _paused_activity(inspection: Inspection, activity: PendingActivityInfo, queue: str) -> None:
    pause = activity.pause_info
    by = f" by {pause.manual.identity}" if pause.manual.identity else ""
    rule = f" by the rule {pause.rule.rule_id}" if pause.rule.rule_id else ""
    name = activity.activity_type.name
    what = f"its activity {name} is paused{by}{rule}{because(pause.manual.reason or pause.rule.reason)}"
    finding = inspection.finding(
        "activity_paused",
        what,
        hints.unpause_activity(inspection.id, activity.activity_id),
        queue=queue,
        since=inspection.to_real_time(to_datetime(pause.pause_time)) if pause.HasField("pause_time") else None,
        attempts=activity.attempt,
        activity_id=activity.activity_id,
        activity_type=name,
        **await inspection.failure_fields(activity.last_failure if activity.HasField("last_failure") else None),
    )
    inspection.add_suspect(finding)


async def _queue_of(inspection: Inspection, activity: PendingActivityInfo) -> str:
    if activity.activity_options.task_queue.name:
        return activity.activity_options.task_queue.name
    scheduled = (await inspection.tail()).scheduled(activity.activity_id)  # servers before 1.27 do not describe it
    return scheduled.task_queue if scheduled is not None else inspection.info.task_queue
