"""What a failure shows about its cause, and the hint for it. What it does not show, the hint does not claim."""

from __future__ import annotations

from collections.abc import Sequence

from temporalio.api.enums.v1 import TimeoutType, WorkflowTaskFailedCause
from temporalio.api.failure.v1 import Failure
from temporalio.api.workflow.v1 import PendingActivityInfo

from ..client.failure_kinds import FailureKind as Kind
from ..client.failures import chain
from ..history.tail import FailedTask
from . import hints
from .hints import Hint

Cause = WorkflowTaskFailedCause

CAUSES_OF_SIZE = (
    Cause.WORKFLOW_TASK_FAILED_CAUSE_GRPC_MESSAGE_TOO_LARGE,
    Cause.WORKFLOW_TASK_FAILED_CAUSE_PAYLOADS_TOO_LARGE,
    Cause.WORKFLOW_TASK_FAILED_CAUSE_BAD_SIGNAL_INPUT_SIZE,
    40,  # the request is too large; older SDKs have no name for it
)
# A worker reports these itself. Every other cause is the server's answer to what the worker sent.
CAUSES_OF_WORKERS = (
    Cause.WORKFLOW_TASK_FAILED_CAUSE_UNSPECIFIED,
    Cause.WORKFLOW_TASK_FAILED_CAUSE_WORKFLOW_WORKER_UNHANDLED_FAILURE,
    Cause.WORKFLOW_TASK_FAILED_CAUSE_NON_DETERMINISTIC_ERROR,
    Cause.WORKFLOW_TASK_FAILED_CAUSE_EXTERNAL_STORAGE_FAILURE,
)


def of_workflow_task(workflow_id: str, failed: FailedTask, lines: Sequence[str]) -> Hint:
    """The hint for a workflow task that keeps failing; `lines` are the decoded lines of its failure."""
    text = "\n".join(lines)
    if failed.timed_out:
        return hints.slow_workflow_task(workflow_id, failed.worker)
    if Kind.NONDETERMINISM.found_in(text) or failed.cause == Cause.WORKFLOW_TASK_FAILED_CAUSE_NON_DETERMINISTIC_ERROR:
        return hints.nondeterminism(workflow_id, failed.sdk)
    command = ("workflow", "show", "--workflow-id", workflow_id)
    if Kind.DEADLOCK.found_in(text):
        return hints.deadlock(command)
    if failed.cause in CAUSES_OF_SIZE or Kind.TOO_LARGE.found_in(text):
        return hints.too_large("workflow", command)
    if failed.cause not in CAUSES_OF_WORKERS:
        return hints.refused(command)
    if Kind.NOT_REGISTERED.found_in(text):
        return hints.not_registered("workflow", failed.worker, command)
    if Kind.CONVERTER.found_in(text):
        return hints.converter(failed.worker, command)
    return hints.workflow_code(workflow_id)


def of_activity(workflow_id: str, activity: PendingActivityInfo, lines: Sequence[str]) -> Hint:
    """The hint for an activity that is retried; `lines` are the decoded lines of its last failure."""
    text = "\n".join(lines)
    command = ("activity", "reset", "--workflow-id", workflow_id, "--activity-id", activity.activity_id)
    timeout = _timeout(activity.last_failure)
    if timeout is not None:
        return hints.timed_out_activity(timeout, activity.last_worker_identity, command)
    if Kind.NOT_REGISTERED.found_in(text):
        return hints.not_registered("activity", activity.last_worker_identity, command)
    if Kind.TOO_LARGE.found_in(text):
        return hints.too_large("activity", command)
    if Kind.CONVERTER.found_in(text):
        return hints.converter(activity.last_worker_identity, command)
    return hints.failing_activity(command)


def _timeout(failure: Failure) -> TimeoutType.ValueType | None:
    """Which timeout of the server ended the attempt; None if none did."""
    outermost = next(chain(failure))
    return outermost.timeout_failure_info.timeout_type if outermost.HasField("timeout_failure_info") else None
