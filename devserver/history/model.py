"""What a trace is made of: a workflow's runs and their steps.

Times are moments in UTC as the server wrote them: the workflow's own clock where time is skipped. Durations are
`timedelta`s. Failures and payloads are kept as Temporal has them, and made text by `failure_text` and `preview` when
they are shown.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from temporalio.api.failure.v1 import Failure

from .previews import TruncatedPayload

StepKind = Literal[
    "activity",
    "local_activity",
    "timer",
    "child",
    "nexus",
    "signal",  # one that the workflow got
    "signal_out",  # one that it sent to another workflow
    "update",
    "cancel",  # somebody asked the workflow to cancel
    "cancel_out",  # it asked another workflow to cancel
    "marker",  # side effects, version patches, changed memos and search attributes
    "pause",
    "workflow_task_failure",
]
StepStatus = Literal[
    "scheduled",  # not begun: waits for a worker, or to be started or delivered
    "running",
    "backing_off",  # failed, and waits for its next attempt
    "paused",
    "completed",
    "failed",
    "timed_out",
    "canceled",
    "terminated",
    "rejected",  # of an update
    "unfinished",  # it was open when the run ended
]
RunStatus = Literal[
    "running", "paused", "completed", "failed", "timed_out", "canceled", "terminated", "continued_as_new"
]
OriginKind = Literal["started", "continued_as_new", "retried", "cron", "reset"]
OPEN: tuple[StepStatus | RunStatus, ...] = ("scheduled", "running", "backing_off", "paused")
BAD: tuple[StepStatus | RunStatus, ...] = ("failed", "timed_out", "terminated")


@dataclass(frozen=True)
class Execution:
    """Another workflow's run. `run_id` is empty where it is not known; `namespace` where it is the same one."""

    workflow_id: str
    run_id: str = ""
    namespace: str = ""


@dataclass(frozen=True)
class NexusOperation:
    """A Nexus operation's address."""

    endpoint: str
    service: str
    name: str
    token: str = ""


@dataclass(slots=True)
class Step:
    """One thing that a run did, or that was done to it.

    Attributes:
        name: The activity's, workflow's, signal's or update's type; a marker's name; empty for a timer without a
            summary.
        id: The activity's, timer's or update's id, else empty.
        event_id: Of the event that opened it; unique in the run.
        event_ids: Of the event that began (0: none) and the one that closed it (0: open).
        scheduled, started, closed: None where it is not (yet) so. `started` of an activity is its last attempt's start.
        attempts: Begun so far, 0 where there are none to count; for a `workflow_task_failure` how many failed in a row.
        failure: The last one; of a retried activity also where it completed in the end.
        reason: In a few words, where Temporal tells one without a failure.
        next_retry: When the next attempt comes.
        duration: How long a timer was set to take.
        target: The child workflow, the workflow signalled or cancelled, the sender of a signal, or the workflow behind
            a Nexus operation.
        queue: The task queue.
        identity: Of the worker or the client.
        note: The summary that the workflow's code gave it.
    """

    kind: StepKind
    name: str
    event_id: int
    status: StepStatus
    scheduled: datetime
    id: str = ""
    started: datetime | None = None
    closed: datetime | None = None
    attempts: int = 0
    failure: Failure | None = None
    reason: str = ""
    next_retry: datetime | None = None
    duration: timedelta | None = None
    target: Execution | None = None
    operation: NexusOperation | None = None
    queue: str = ""
    identity: str = ""
    input: tuple[TruncatedPayload, ...] = ()
    result: tuple[TruncatedPayload, ...] = ()
    note: tuple[TruncatedPayload, ...] = ()
    event_ids: tuple[int, int] = (0, 0)

    @property
    def open(self) -> bool:
        """Whether it goes on."""
        return self.status in OPEN

    @property
    def bad(self) -> bool:
        """Whether it has failed, was rejected, or fails at the moment and will be tried again."""
        if self.open:
            return self.failure is not None or self.kind == "workflow_task_failure"
        return self.status in BAD or self.status == "rejected" or self.kind == "workflow_task_failure"

    @property
    def notable(self) -> bool:
        """Whether it must be seen among many alike: it is bad, was retried, still goes on, or was cancelled."""
        troubled = self.status == "unfinished" and self.failure is not None
        return self.open or self.bad or troubled or self.status == "canceled" or self.attempts > 1

    @property
    def took(self) -> timedelta | None:
        """From when it was scheduled until it closed, all its attempts and waits included; None while it is open."""
        return None if self.closed is None else self.closed - self.scheduled

    @property
    def has_tree(self) -> bool:
        """Whether a workflow lies behind it that a tracer can follow."""
        return self.kind in ("child", "nexus") and self.target is not None and bool(self.target.run_id)


@dataclass(frozen=True)
class RunOrigin:
    """How a run came to be.

    Attributes:
        run_id: The run before; empty for one that was started.
        event_id: For a reset, the event up to which the history is that of the run before (0 otherwise).
        by: The identity of who started or reset it.
        reason: Of a reset.
        schedule_id: The schedule that started it, else empty.
        parent: The workflow that started it as a child; `parent_event` is the event of that run which began it.
        root: The workflow at the top of the tree, None where it is this one.
        caller: The workflow whose Nexus operation started it; `caller_event` is the event of that run which
            scheduled the operation.
    """

    how: OriginKind = "started"
    run_id: str = ""
    event_id: int = 0
    by: str = ""
    reason: str = ""
    schedule_id: str = ""
    parent: Execution | None = None
    parent_event: int = 0
    root: Execution | None = None
    caller: Execution | None = None
    caller_event: int = 0


@dataclass(frozen=True)
class NextRun:
    """The run that came after one; `how` is never `started`."""

    how: OriginKind
    run_id: str


@dataclass(frozen=True)
class FailedTasks:
    """The failed workflow tasks of a run: how many failures the history has, and the last one."""

    count: int = 0
    last_at: datetime | None = None
    failure: Failure | None = None


@dataclass(slots=True)
class WorkflowRun:
    """One run of a workflow, with its steps in the order in which they were opened.

    Attributes:
        first_run_id: Of the chain that continue-as-new, retries, cron and resets make.
        started: When it was created, by a reset if there was one; its first task may come later (`delay`).
        attempt: 2 and more for a run that is a retry.
        next: The run that came after it, None while there is none. Where there are several, as after a second reset,
            the chain knows the others.
        failure: Why it failed; None otherwise.
        reason: Why it was terminated, and by whom.
        identities: Of the workers that completed its workflow tasks, at most `MOST_WORKERS`.
        builds: Their build ids, with the deployment's name where there is one.
        events: How many are in the history.
        skipped: How far time skipping has set its clock ahead.
        missing: Nothing is known but the ids: its history was deleted.
    """

    workflow_id: str
    run_id: str
    namespace: str = ""
    first_run_id: str = ""
    type: str = ""
    task_queue: str = ""
    status: RunStatus = "running"
    started: datetime | None = None
    closed: datetime | None = None
    delay: timedelta = timedelta(0)
    attempt: int = 1
    origin: RunOrigin = RunOrigin()
    next: NextRun | None = None
    input: tuple[TruncatedPayload, ...] = ()
    result: tuple[TruncatedPayload, ...] = ()
    memo: tuple[tuple[str, tuple[TruncatedPayload, ...]], ...] = ()
    failure: Failure | None = None
    reason: str = ""
    failed_tasks: FailedTasks = FailedTasks()
    identities: list[str] = field(default_factory=list)
    builds: list[str] = field(default_factory=list)
    events: int = 0
    skipped: timedelta = timedelta(0)
    missing: bool = False
    steps: list[Step] = field(default_factory=list)

    @property
    def open(self) -> bool:
        """Whether it goes on."""
        return self.status in OPEN

    @property
    def bad(self) -> bool:
        """Whether it failed, timed out or was terminated; a reset run says how it went instead of the one before."""
        return self.status in BAD and (self.next is None or self.next.how != "reset")

    @property
    def own_steps(self) -> list[Step]:
        """Its steps without those that it has from the run that was reset and that were over by then."""
        upto = self.origin.event_id
        if not upto:
            return self.steps
        return [step for step in self.steps if step.event_id > upto or step.open or step.event_ids[1] > upto]

    @property
    def took(self) -> timedelta | None:
        """From its start to its close; None while it is open."""
        return None if self.closed is None or self.started is None else self.closed - self.started
