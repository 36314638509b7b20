"""What to do next about each thing that can be stuck: a sentence, and the Temporal CLI's command where one helps."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Hint:
    """`command` is what to give to the Temporal CLI, empty where there is nothing to run."""

    text: str
    command: tuple[str, ...] = ()


def workflow_code(workflow_id: str) -> Hint:
    """Its code raises."""
    return Hint(
        "mend the workflow's code, or roll it back, and restart its workers: the workflow then goes on by itself",
        ("workflow", "show", "--workflow-id", workflow_id),
    )


def nondeterminism(workflow_id: str) -> Hint:
    """Its code no longer fits its history."""
    return Hint(
        "run the code that this workflow began with (or guard the change with workflow.patched); it then goes on by "
        "itself. Where that cannot be, reset it",
        ("workflow", "reset", "--workflow-id", workflow_id, "--type", "LastWorkflowTask", "--reason", "incident"),
    )


def slow_workflow_task(workflow_id: str) -> Hint:
    """No answer in time."""
    return Hint(
        "look at the worker's log and load: a worker that was killed, is overloaded, or whose workflow code blocks",
        ("workflow", "show", "--workflow-id", workflow_id),
    )


def no_worker(queue: str) -> Hint:
    """Nobody polls."""
    return Hint(f"start a worker for the task queue {queue}", ("task-queue", "describe", "--task-queue", queue))


def busy_workers(queue: str, kind: str) -> Hint:
    """Someone polls, nobody takes the task."""
    return Hint(
        f"workers poll the task queue {queue}, but none takes this {kind} task: see whether they are frozen or busy "
        "(all slots taken), or of another version than the one this workflow is pinned to",
        ("task-queue", "describe", "--task-queue", queue),
    )


def failing_activity(workflow_id: str, activity_id: str) -> Hint:
    """It fails and is retried."""
    return Hint(
        "mend what it calls: the next attempt then succeeds. To have that attempt at once, reset the activity",
        ("activity", "reset", "--workflow-id", workflow_id, "--activity-id", activity_id),
    )


def unpause_activity(workflow_id: str, activity_id: str) -> Hint:
    """Someone paused it."""
    return Hint(
        "ask whoever paused it, then unpause it",
        ("activity", "unpause", "--workflow-id", workflow_id, "--activity-id", activity_id),
    )


def unpause_workflow(workflow_id: str) -> Hint:
    """Someone paused it."""
    return Hint("ask whoever paused it, then unpause it", ("workflow", "unpause", "--workflow-id", workflow_id))


def late_timer(workflow_id: str) -> Hint:
    """The server is behind."""
    return Hint(
        "the server is behind with its timers: look at the load and the log of its history service and its database",
        ("workflow", "show", "--workflow-id", workflow_id),
    )
