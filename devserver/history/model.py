"""Runs of workflows and their steps.

Times are in UTC as the server wrote them: by the workflow's own clock if time is skipped. Durations are `timedelta`s.
Failures and payloads stay as Temporal stores them; `failure_text` and `preview` show them as text.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from temporalio.api.failure.v1 import Failure

from ..client.statuses import RunStatus
from .previews import TruncatedPayload
from .relations import Execution, FailedTasks, NextRun, NexusOperation, RunOrigin

StepKind = Literal[
    "activity",
    "local_activity",
    "timer",
    "child",
    "nexus",
    "signal",  # one that the workflow received
    "signal_out",  # one that it sent to another workflow
    "update",
    "cancel",  # somebody requested that the workflow cancels
    "cancel_out",  # it requested that another workflow cancels
    "marker",  # side effects, version patches, changed memos and search attributes
    "pause",
    "workflow_task_failure",
]
StepStatus = Literal[
    "scheduled",  # waits for a worker, or to be started or delivered
    "running",
    "backing_off",  # failed, waits for its next attempt
    "paused",
    "completed",
    "failed",
    "timed_out",
    "canceled",
    "terminated",
    "rejected",  # of an update
    "unfinished",  # it was open when the run ended
]
OPEN: tuple[StepStatus | RunStatus, ...] = ("scheduled", "running", "backing_off", "paused")
NamedPayloads = tuple[tuple[str, Sequence[TruncatedPayload]], ...]
BAD: tuple[StepStatus | RunStatus, ...] = ("failed", "timed_out", "terminated")


@dataclass(slots=True)
class Step:
    """One thing that a run did, or that happened to it.

    Attributes:
        name: The type of the activity, workflow, signal or update; a marker's name; empty for a timer.
        id: The activity's, timer's or update's id, else empty.
        event_id: The event that opened it; unique in the run.
        event_ids: The events that started (0: none) and closed it (0: open).
        scheduled, started, closed: None if that has not happened. `started` is the start of an activity's last attempt.
        attempts: Attempts so far, 0 for what has none; of a `workflow_task_failure` the failures in a row.
        failure: The last one; a retried activity that completed has the one of the attempt before.
        reason: A few words, where Temporal has a reason without a failure.
        next_retry: When the next attempt starts.
        duration: The duration of a timer.
        target: The child workflow, the workflow that was signaled or canceled, the sender of a signal, or the workflow
            of a Nexus operation.
        queue: The task queue.
        identity: The worker's or the client's.
        note: The summary from the workflow's code.
        values: Of search attributes and memo that were upserted, by their names.
        retry_state: Why it was not retried, in words.
        heartbeat: The details of the last heartbeat of an activity that runs or waits for a retry.
        timed: Whether its duration is known: the Go and Java SDKs do not record that of a local activity.
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
    input: Sequence[TruncatedPayload] = ()
    result: Sequence[TruncatedPayload] = ()
    note: Sequence[TruncatedPayload] = ()
    event_ids: tuple[int, int] = (0, 0)
    values: NamedPayloads = ()
    retry_state: str = ""
    heartbeat: Sequence[TruncatedPayload] = ()
    timed: bool = True

    @property
    def open(self) -> bool:
        """Whether it is not closed."""
        return self.status in OPEN

    @property
    def bad(self) -> bool:
        """Whether it failed, was rejected, or is failing and will be retried."""
        if self.open:
            return self.failure is not None or self.kind == "workflow_task_failure"
        return self.status in BAD or self.status == "rejected" or self.kind == "workflow_task_failure"

    @property
    def notable(self) -> bool:
        """Whether it is shown even among many of its kind: it is bad, open, or was retried or canceled."""
        if self.status == "completed":  # nearly all of them
            return self.attempts > 1 or self.kind == "workflow_task_failure"
        troubled = self.status == "unfinished" and self.failure is not None
        return self.open or self.bad or troubled or self.status == "canceled" or self.attempts > 1

    @property
    def took(self) -> timedelta | None:
        """From its schedule to its close, with all attempts and waits; None while it is open, and if it is unknown."""
        return None if self.closed is None or not self.timed else self.closed - self.scheduled

    @property
    def has_tree(self) -> bool:
        """Whether it has a workflow of its own that can be read."""
        return self.kind in ("child", "nexus") and self.target is not None and bool(self.target.run_id)


@dataclass(slots=True)
class WorkflowRun:
    """One run of a workflow; its steps are in the order in which they were opened.

    Attributes:
        first_run_id: The first run of its chain of continue-as-new, retries, cron and resets.
        started: When it was created, or reset; its first task may come later (`delay`).
        attempt: 2 and more for a retry.
        next: The run after it; None if there is none. If there are several, after a second reset, the chain has the
            others.
        failure: Why it failed, else None.
        reason: Why it was terminated, and by whom.
        identities: The workers that completed its workflow tasks, at most 20.
        builds: Their build ids, with the deployment's name if there is one.
        memo, search_attributes: With what was upserted since.
        summary, details: The static ones that it was started with.
        versioning: `pinned` or `auto upgrade`; empty without Worker Versioning.
        cron: Its cron schedule.
        retry_state: Why it was not retried, in words.
        events: The number of events in its history.
        skipped: How far time skipping has set its clock ahead.
        missing: Its history was deleted: only its ids are known.
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
    origin: RunOrigin = field(default_factory=RunOrigin)
    next: NextRun | None = None
    input: Sequence[TruncatedPayload] = ()
    result: Sequence[TruncatedPayload] = ()
    memo: NamedPayloads = ()
    search_attributes: NamedPayloads = ()
    summary: Sequence[TruncatedPayload] = ()
    details: Sequence[TruncatedPayload] = ()
    versioning: str = ""
    cron: str = ""
    retry_state: str = ""
    failure: Failure | None = None
    reason: str = ""
    failed_tasks: FailedTasks = field(default_factory=FailedTasks)
    identities: list[str] = field(default_factory=list)
    builds: list[str] = field(default_factory=list)
    events: int = 0
    skipped: timedelta = timedelta(0)
    missing: bool = False
    steps: list[Step] = field(default_factory=list)

    @property
    def open(self) -> bool:
        """Whether it is not closed."""
        return self.status in OPEN

    @property
    def begins(self) -> datetime | None:
        """When its first task comes, while it waits for a start delay or its cron schedule; None once it has begun."""
        waits = self.open and self.started is not None and self.delay and not self.identities
        return self.started + self.delay if waits and self.started is not None else None

    @property
    def bad(self) -> bool:
        """Whether it failed, timed out or was terminated, and no reset replaced it."""
        return self.status in BAD and (self.next is None or self.next.how != "reset")

    @property
    def own_steps(self) -> list[Step]:
        """Its steps without those that come from the run before a reset and were closed by then."""
        upto = self.origin.event_id
        if not upto:
            return self.steps
        return [step for step in self.steps if step.event_id > upto or step.open or step.event_ids[1] > upto]

    @property
    def took(self) -> timedelta | None:
        """From its start to its close; None while it is open."""
        return None if self.closed is None or self.started is None else self.closed - self.started
