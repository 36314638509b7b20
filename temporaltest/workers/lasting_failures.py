"""Failures that are the same on every attempt, and those that a retry may end."""

from __future__ import annotations

import re

from temporalio.api.enums.v1 import WorkflowTaskFailedCause
from temporalio.api.failure.v1 import Failure
from temporalio.api.history.v1 import WorkflowTaskFailedEventAttributes

from devserver.client import FailureKind, chain, summary
from devserver.replay import user_lines

from .advice import advice

BAD_ATTRIBUTES = WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_BAD_SEARCH_ATTRIBUTES
WRONG_CALL = re.compile(r"\(\) (takes|missing|got an unexpected|got multiple) ")
CONVERSION_ERRORS = ("TypeError", "ValueError", "JSONDecodeError", "KeyError")


def text_of(failure: Failure) -> str:
    """A failure and its causes in one line."""
    return ", caused by ".join(summary(cause) for cause in chain(failure))


def is_unregistered(failure: Failure) -> bool:
    """Whether the worker that took a task does not have its workflow or activity."""
    return FailureKind.NOT_REGISTERED.found_in(failure.message) is not None


def is_nondeterministic(failure: Failure) -> bool:
    """Whether the workflow's code does not match its history."""
    return FailureKind.NONDETERMINISM.found_in(failure.message) is not None


def of_activity(failure: Failure) -> bool:
    """Whether an activity fails like this on every attempt."""
    wrong = failure.application_failure_info.type == "TypeError" and WRONG_CALL.search(failure.message)
    return bool(wrong and not user_lines(failure.stack_trace)) or _cannot_convert(failure)


def of_workflow_task(failed: WorkflowTaskFailedEventAttributes) -> bool:
    """Whether a workflow task fails like this on every attempt.

    A slow machine also makes workflow code look blocked; then no line of the user's is in the stack.
    """
    blocked = FailureKind.DEADLOCK.found_in(failed.failure.message) and lines_of(failed.failure)
    return bool(blocked) or failed.cause == BAD_ATTRIBUTES or _cannot_convert(failed.failure)


def explain(what: str, failure: Failure, place: str = "") -> str:
    """What fails and why, with the user's lines and what to change."""
    text = text_of(failure)
    lines = lines_of(failure) or ([f"  at {place}"] if place else [])
    return "\n".join([f"{what}: {text}", *lines, *filter(None, [advice(text)])])


def lines_of(failure: Failure) -> list[str]:
    """The user's lines in the stack traces of a failure and its causes."""
    return [f"  {line}" for cause in chain(failure) for line in user_lines(cause.stack_trace).splitlines()]


def _cannot_convert(failure: Failure) -> bool:
    """Whether values cannot be converted; unlike a codec, a converter answers the same each time."""
    causes = list(chain(failure))
    decodes = any(FailureKind.DECODING.found_in(cause.message) for cause in causes)
    encodes = any(FailureKind.UNSERIALIZABLE.found_in(cause.message) for cause in causes)
    return encodes or (decodes and any(c.application_failure_info.type in CONVERSION_ERRORS for c in causes))
