"""What to do about each kind of finding: a sentence, and a command of the Temporal CLI if one helps."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Hint:
    """`command` are arguments for the Temporal CLI; empty if there is nothing to run."""

    text: str
    command: tuple[str, ...] = ()


def workflow_code(workflow_id: str) -> Hint:
    """The workflow's code raises."""
    return Hint(
        "fix the workflow's code, or roll it back, and restart its workers: the workflow then continues",
        ("workflow", "show", "--workflow-id", workflow_id),
    )


def nondeterminism(workflow_id: str) -> Hint:
    """The workflow's code does not match its history."""
    return Hint(
        "run the code that this workflow started with, or guard the change with workflow.patched: the workflow then "
        "continues. If you cannot, reset it",
        ("workflow", "reset", "--workflow-id", workflow_id, "--type", "LastWorkflowTask", "--reason", "incident"),
    )


def slow_workflow_task(workflow_id: str) -> Hint:
    """A worker does not answer in time."""
    return Hint(
        "check the worker's log and load: it may have been killed, be overloaded, or run workflow code that blocks",
        ("workflow", "show", "--workflow-id", workflow_id),
    )


def no_worker(queue: str) -> Hint:
    """No worker polls the task queue."""
    return Hint(f"start a worker for the task queue {queue}", ("task-queue", "describe", "--task-queue", queue))


def busy_workers(queue: str, kind: str) -> Hint:
    """Workers poll the task queue, and none starts the task."""
    return Hint(
        f"workers poll the task queue {queue}, but none starts this {kind} task: check whether they are frozen, busy "
        "(no free slots), or of another version than the one this workflow is pinned to",
        ("task-queue", "describe", "--task-queue", queue),
    )


def failing_activity(workflow_id: str, activity_id: str) -> Hint:
    """The activity fails and is retried."""
    return Hint(
        "fix what it calls: the next attempt then succeeds. Reset the activity to retry it now",
        ("activity", "reset", "--workflow-id", workflow_id, "--activity-id", activity_id),
    )


def unpause_activity(workflow_id: str, activity_id: str) -> Hint:
    """Somebody paused it."""
    return Hint(
        "ask whoever paused it, then unpause it",
        ("activity", "unpause", "--workflow-id", workflow_id, "--activity-id", activity_id),
    )


def unpause_workflow(workflow_id: str) -> Hint:
    """Somebody paused it."""
    return Hint("ask whoever paused it, then unpause it", ("workflow", "unpause", "--workflow-id", workflow_id))


def late_timer(workflow_id: str) -> Hint:
    """The server is late with timers."""
    return Hint(
        "the server is late with timers: check the load and the log of its history service and its database",
        ("workflow", "show", "--workflow-id", workflow_id),
    )
