"""What can be wrong with an open workflow, as records: one finding for each problem that blocks it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal, get_args

from ..client.waits import MessageHandler

# The worst first: what needs other code, what needs a worker, what may resolve itself, what somebody did on purpose.
Kind = Literal[
    "workflow_task_failing",
    "no_worker",
    "activity_retrying",
    "workflow_task_waiting",
    "activity_waiting",
    "timer_late",
    "workflow_paused",
    "activity_paused",
]

KINDS: tuple[Kind, ...] = get_args(Kind)


@dataclass(frozen=True)
class Thresholds:
    """When something counts as stuck.

    `workflow_task_attempts` and `attempts` (of an activity) are numbers of the current or next attempt.
    `waiting` is how long a task may wait for a worker, `late` how long a timer may be overdue.
    """

    workflow_task_attempts: int = 2
    attempts: int = 3
    waiting: timedelta = timedelta(minutes=1)
    late: timedelta = timedelta(minutes=1)


@dataclass(frozen=True)
class FindingTimer:
    """A timer of a blocked workflow that has not fired; `due` is UTC."""

    timer_id: str
    due: datetime


@dataclass(frozen=True)
class FindingWaits:
    """Where a blocked workflow waits.

    Attributes:
        stacks: The lines of its code that wait, the innermost first: a list for each coroutine or task.
        handlers: The signals, updates and queries that it takes.
        details: Its current details, as its code has set them.
        notes: Sentences about what is unknown, and why.
        timers: Its timers, the next first.
    """

    stacks: Sequence[Sequence[str]]
    handlers: Sequence[MessageHandler]
    details: str
    notes: Sequence[str]
    timers: Sequence[FindingTimer]


@dataclass(frozen=True)
class Finding:
    """One blocked thing. `failure` has the lines of the last failure, `last_failure` its root cause in one line.

    `since` and `next_retry` are UTC; None if the server does not say. `command` are arguments for the Temporal CLI
    (`("workflow", "unpause", ...)`), empty if no single command helps. `workflows` counts the open workflows that
    are affected, if one finding is about a whole task queue; its `workflow_id` is then one of them. `waits` is None
    unless `add_waits` has added it.
    """

    kind: Kind
    workflow_id: str
    run_id: str
    workflow_type: str
    task_queue: str
    what: str
    hint: str
    since: datetime | None = None
    attempts: int | None = None
    last_failure: str | None = None
    failure: tuple[str, ...] = ()
    next_retry: datetime | None = None
    activity_id: str | None = None
    activity_type: str | None = None
    command: tuple[str, ...] = ()
    workflows: int = 1
    waits: FindingWaits | None = None

    @property
    def key(self) -> tuple[str, ...]:
        """The same for the same problem in a later report."""
        if self.kind == "no_worker":
            return (self.kind, self.task_queue)
        what = self.what if self.kind == "timer_late" else ""
        return (self.kind, self.workflow_id, self.run_id, self.activity_id or "", what)


@dataclass(frozen=True)
class StuckReport:
    """What is blocked in one namespace, the worst first, and how many workflows were examined.

    `open` is the number of open workflows (that match the query), `examined` how many of them were examined.
    `notes` say what was not examined, and why.
    """

    namespace: str
    at: datetime
    findings: tuple[Finding, ...] = ()
    open: int = 0
    examined: int = 0
    notes: tuple[str, ...] = field(default=())

    @property
    def stuck(self) -> bool:
        """Whether anything was found."""
        return bool(self.findings)

    @property
    def complete(self) -> bool:
        """Whether every open workflow was examined."""
        return self.examined >= self.open


@dataclass(frozen=True)
class StuckProgress:
    """How far the examination is: workflows examined, of how many, problems found so far, and the first of them."""

    examined: int
    of: int
    found: int
    first: Sequence[Finding]


def ranked(findings: list[Finding]) -> tuple[Finding, ...]:
    """The worst kind first; of one kind those that affect most workflows, then the oldest."""
    return tuple(sorted(findings, key=_rank))


def _rank(finding: Finding) -> tuple[int, int, float, str, str]:
    since = finding.since.timestamp() if finding.since is not None else float("inf")
    return KINDS.index(finding.kind), -finding.workflows, since, finding.workflow_id, finding.activity_id or ""
