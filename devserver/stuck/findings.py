"""What can be wrong with an open workflow, as records: one finding for each thing that does not go on by itself."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

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

# The worst first: what needs other code, then what needs a worker, what may mend itself, and what somebody meant.
KINDS: tuple[Kind, ...] = (
    "workflow_task_failing",
    "no_worker",
    "activity_retrying",
    "workflow_task_waiting",
    "activity_waiting",
    "timer_late",
    "workflow_paused",
    "activity_paused",
)


@dataclass(frozen=True)
class Thresholds:
    """From when on something counts as stuck.

    `workflow_task_attempts` and `attempts` (of an activity) are numbers of the attempt that runs or comes next.
    `waiting` is how long a task may wait for a worker, `late` how long after its time a timer may fire.
    """

    workflow_task_attempts: int = 2
    attempts: int = 3
    waiting: timedelta = timedelta(minutes=1)
    late: timedelta = timedelta(minutes=1)


@dataclass(frozen=True)
class Finding:
    """One thing that is stuck. Texts are for a person; `failure` is the last failure in full, line by line.

    `since` and `next_retry` are UTC; None where the server does not tell. `command` is what to give to the Temporal CLI
    (`("workflow", "unpause", ...)`), empty where no single command helps. `workflows` counts the open workflows that
    suffer from it, where one finding speaks for a whole task queue; its `workflow_id` is then one of them.
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

    @property
    def key(self) -> tuple[str, ...]:
        """The same for the same trouble in a later look."""
        if self.kind == "no_worker":
            return (self.kind, self.task_queue)
        what = self.what if self.kind == "timer_late" else ""
        return (self.kind, self.workflow_id, self.run_id, self.activity_id or "", what)


@dataclass(frozen=True)
class StuckReport:
    """What was found in one namespace, the worst first, and how far the look went.

    `open` is how many open workflows there are (that fit the query), `examined` how many of them were looked at.
    `notes` say what was not looked at, and why.
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
        """Whether every open workflow was looked at."""
        return self.examined >= self.open


def ranked(findings: list[Finding]) -> tuple[Finding, ...]:
    """The worst kind first; of one kind what suffers most, then what is oldest."""
    return tuple(sorted(findings, key=_rank))


def _rank(finding: Finding) -> tuple[int, int, float, str, str]:
    since = finding.since.timestamp() if finding.since is not None else float("inf")
    return KINDS.index(finding.kind), -finding.workflows, since, finding.workflow_id, finding.activity_id or ""
