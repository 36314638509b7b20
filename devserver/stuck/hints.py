"""What to do about each kind of finding: a sentence, and a command of the Temporal CLI if one helps."""

from __future__ import annotations

from dataclasses import dataclass

from temporalio.api.enums.v1 import TimeoutType

from ..client.sdks import SdkName, guard_of


@dataclass(frozen=True)
class Hint:
    """`command` are arguments for the Temporal CLI; empty if there is nothing to run."""

    text: str
    command: tuple[str, ...] = ()


NONE = Hint("")


def workflow_code(workflow_id: str) -> Hint:
    """The workflow's code raises."""
    return Hint(
        "fix the workflow's code, or roll it back, and restart its workers: the workflow then continues",
        ("workflow", "show", "--workflow-id", workflow_id),
    )


def nondeterminism(workflow_id: str, sdk: SdkName | None) -> Hint:
    """The workflow's code does not match its history."""
    return Hint(
        f"run the code that this workflow started with, or guard the change with {guard_of(sdk)}: the workflow then "
        "continues. If you cannot, reset it",
        ("workflow", "reset", "--workflow-id", workflow_id, "--type", "LastWorkflowTask", "--reason", "incident"),
    )


def slow_workflow_task(workflow_id: str, worker: str) -> Hint:
    """A worker takes the task and does not answer in time."""
    return Hint(
        f"check the log and the load of {_worker(worker)}: it may have been killed or frozen, be overloaded, wait for "
        "its codec, or run workflow code that blocks",
        ("workflow", "show", "--workflow-id", workflow_id),
    )


def deadlock(command: tuple[str, ...]) -> Hint:
    """Workflow code did not yield in time."""
    return Hint(
        "the failure shows where the workflow's code was: move what blocks there into an activity. If nothing blocks "
        "there, the worker gets too little CPU time",
        command,
    )


def not_registered(what: str, worker: str, command: tuple[str, ...]) -> Hint:
    """The worker does not have the workflow or activity type."""
    return Hint(
        f"{_worker(worker)} polls this task queue without this {what} type: register it there, or stop that worker if "
        "another one has it",
        command,
    )


def converter(worker: str, command: tuple[str, ...]) -> Hint:
    """A payload could not be encoded or decoded."""
    return Hint(
        f"the data converter of {_worker(worker)} fails: check its codec (its server, its keys), and that values have "
        "the types that the code expects",
        command,
    )


def too_large(what: str, command: tuple[str, ...]) -> Hint:
    """A payload or a request is above the server's limit."""
    return Hint(
        f"the {what} sends more than the server accepts (by default 2 MiB for a value, 4 MiB for a request): store the "
        "data elsewhere and pass a reference",
        command,
    )


def refused(command: tuple[str, ...]) -> Hint:
    """The server refuses what the worker answered."""
    return Hint(
        "the server refuses what the workflow asks for: change the workflow's code, or create what the server lacks",
        command,
    )


def no_worker(queue: str, kinds: str, *, polled: bool) -> Hint:
    """No worker polls the task queue; `polled`: the server remembers one that did."""
    maybe = (
        ", or look after the last one: one that was killed, is frozen or has no free slot does not poll"
        if polled
        else ""
    )
    activities = " that registers activities" if kinds == "activities" else ""
    return Hint(
        f"start a worker for the task queue {queue}{activities}{maybe}",
        ("task-queue", "describe", "--task-queue", queue),
    )


def waiting(queue: str, seen: str) -> Hint:
    """Workers have polled the task queue, and none starts the task. `seen` is what the server shows of them."""
    return Hint(seen, ("task-queue", "describe", "--task-queue", queue))


def failing_activity(command: tuple[str, ...]) -> Hint:
    """The activity fails and is retried."""
    return Hint("fix what makes it fail: the next attempt then succeeds. Reset the activity to retry it now", command)


def timed_out_activity(timeout: TimeoutType.ValueType, worker: str, command: tuple[str, ...]) -> Hint:
    """The server ended the attempt."""
    if timeout == TimeoutType.TIMEOUT_TYPE_HEARTBEAT:
        text = (
            f"the server got no heartbeat in time: {_worker(worker)} was killed, froze, is overloaded, or the activity "
            "blocks its thread or event loop"
        )
    else:
        text = (
            f"the server got no answer in time: the attempt takes longer than its timeout, or {_worker(worker)} was "
            "killed, froze or is overloaded. The server cannot tell which: look at the worker's log"
        )
    return Hint(text, command)


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
        "the server is late with timers, or its clock is behind this machine's: compare the clocks, then check the "
        "load and the log of the server's history service and its database",
        ("workflow", "show", "--workflow-id", workflow_id),
    )


def _worker(identity: str) -> str:
    return f"the worker {identity}" if identity else "the worker"
