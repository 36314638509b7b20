"""Adds to a run what only its description has: current attempts, failures so far, a later reset."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from temporalio.api.enums.v1 import PendingActivityState, PendingNexusOperationState
from temporalio.api.workflow.v1 import PendingActivityInfo
from temporalio.api.workflowservice.v1 import DescribeWorkflowExecutionResponse

from ..client.statuses import PAUSED
from ..client.timestamps import to_datetime
from .model import Step, StepStatus
from .previews import truncate
from .relations import NextRun
from .run_builder import RunBuilder
from .step_builder import trimmed_failure

BUSY = (
    PendingActivityState.PENDING_ACTIVITY_STATE_STARTED,
    PendingActivityState.PENDING_ACTIVITY_STATE_CANCEL_REQUESTED,
)


def merge(builder: RunBuilder, description: DescribeWorkflowExecutionResponse) -> list[Step]:
    """Bring the builder's run up to date; the steps that changed.

    The description may be newer than the history: steps that are not in the history yet are left out.
    """
    run = builder.run
    info, extended = description.workflow_execution_info, description.workflow_extended_info
    run.first_run_id = run.first_run_id or info.first_run_id
    if extended.reset_run_id and run.next is None:
        run.next = NextRun("reset", extended.reset_run_id)
    if not run.open:
        return []
    if info.status == PAUSED:
        run.status = "paused"
    return [*_activities(builder, description), *_operations(builder, description), *_task(builder, description)]


def _activities(builder: RunBuilder, description: DescribeWorkflowExecutionResponse) -> Iterator[Step]:
    if not description.pending_activities:
        return
    opened = {step.id: step for step in builder.steps.open if step.kind == "activity"}
    for pending in description.pending_activities:
        step = opened.get(pending.activity_id)
        if step is not None and _changed(step, pending):
            yield step


def _changed(step: Step, pending: PendingActivityInfo) -> bool:
    before = (step.status, step.attempts, step.next_retry)
    busy = pending.state in BUSY
    # An activity that waits is described with the number of its next attempt.
    step.attempts = pending.attempt if busy else pending.attempt - 1
    step.status = _status(pending, busy)
    step.next_retry = None
    if busy and pending.HasField("last_started_time"):
        step.started = to_datetime(pending.last_started_time)
    if step.status == "backing_off" and pending.HasField("next_attempt_schedule_time"):
        step.next_retry = to_datetime(pending.next_attempt_schedule_time)
    if pending.last_worker_identity:
        step.identity = pending.last_worker_identity
    if pending.HasField("heartbeat_details"):
        step.heartbeat = truncate(pending.heartbeat_details.payloads)
    if pending.HasField("last_failure"):
        step.failure = trimmed_failure(pending.last_failure)
    return before != (step.status, step.attempts, step.next_retry)


def _status(pending: PendingActivityInfo, busy: bool) -> StepStatus:
    if pending.paused and not busy:
        return "paused"
    if busy:
        return "running"
    return "backing_off" if pending.attempt > 1 else "scheduled"


def _operations(builder: RunBuilder, description: DescribeWorkflowExecutionResponse) -> Iterator[Step]:
    for pending in description.pending_nexus_operations:
        step = builder.steps.by_event(pending.scheduled_event_id)
        if step is None or step.kind != "nexus" or step.status == "running":
            continue
        before = (step.status, step.attempts)
        waits = pending.state == PendingNexusOperationState.PENDING_NEXUS_OPERATION_STATE_BACKING_OFF
        step.attempts = pending.attempt
        step.status = "backing_off" if waits else "scheduled"
        step.reason = pending.blocked_reason
        _retried(step, pending)
        if before != (step.status, step.attempts):
            yield step


def _retried(step: Step, pending: Any) -> None:
    has = pending.HasField
    step.failure = trimmed_failure(pending.last_attempt_failure) if has("last_attempt_failure") else step.failure
    step.next_retry = to_datetime(pending.next_attempt_schedule_time) if has("next_attempt_schedule_time") else None


def _task(builder: RunBuilder, description: DescribeWorkflowExecutionResponse) -> Iterator[Step]:
    """The history has the first of several failures in a row; the number of the next attempt counts them all."""
    failed = description.pending_workflow_task.attempt - 1
    for step in builder.steps.open:
        if step.kind == "workflow_task_failure" and failed > step.attempts:
            step.attempts = failed
            yield step
