"""One open workflow while it is examined: its description, its clock, the end of its history, and the findings."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.workflow.v1 import WorkflowExecutionInfo
from temporalio.api.workflowservice.v1 import DescribeWorkflowExecutionResponse

from ..client.calls import ServiceCalls
from ..client.failures import failure_text
from ..history.tail import HistoryTail, clock_ahead
from . import hints
from .findings import Finding, Kind, Thresholds
from .versions import WantedVersion, wanted_version

EVENTS = 200
WORKFLOW, ACTIVITY = TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW, TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY

Queue = tuple[str, "TaskQueueType.ValueType"]


@dataclass(frozen=True)
class PollerNeed:
    """A task queue that a workflow needs a worker on. `since`: when a task began to wait there, if one does."""

    queue: Queue
    workflow: WorkflowExecutionInfo
    since: datetime | None


@dataclass(frozen=True)
class Wait:
    """A task that waits in a task queue since then, and the Worker Deployment Version that must start it."""

    since: datetime
    version: WantedVersion | None


@dataclass(frozen=True)
class Suspect:
    """A finding that is dropped if no worker polls `unless_unpolled`: that is reported instead.

    If it is about a task that waits, what the server shows of the task queue's workers becomes its hint.
    """

    finding: Finding
    unless_unpolled: Queue | None = None
    wait: Wait | None = None


@dataclass
class Diagnosis:
    """What was found in one workflow.

    Attributes:
        unseen: Timers may be further back than the events that were read.
        unread: Its history was not read: enough others were.
    """

    suspects: list[Suspect] = field(default_factory=list)
    needs: list[PollerNeed] = field(default_factory=list)
    open: bool = False
    unseen: bool = False
    unread: bool = False


class ReadBudget:
    """How many histories are read only to see whether there is something in them."""

    def __init__(self, left: int) -> None:
        self.left = left

    def take(self) -> bool:
        """Whether one more is read."""
        self.left -= 1
        return self.left >= 0


@dataclass(frozen=True)
class InspectionRules:
    """How workflows are inspected: when something counts as stuck, and how much is read."""

    thresholds: Thresholds
    now: datetime
    budget: ReadBudget


class Inspection:
    """One workflow that is examined."""

    def __init__(
        self, calls: ServiceCalls, description: DescribeWorkflowExecutionResponse, rules: InspectionRules
    ) -> None:
        self.calls = calls
        self.raw = description
        self.info = description.workflow_execution_info
        self.thresholds = rules.thresholds
        self.now = rules.now
        self.ahead = clock_ahead(description, rules.now)
        self._budget = rules.budget
        self._tail: HistoryTail | None = None
        self.found = Diagnosis(open=True)

    async def tail(self) -> HistoryTail:
        """The end of the history; read once, and only if needed."""
        if self._tail is None:
            self._tail = HistoryTail(await self.calls.last_events(self.info.execution, EVENTS))
        return self._tail

    def may_read(self) -> bool:
        """Whether the history may be read just to see what is in it: what has been read, and the first of many."""
        if self._tail is not None or self._budget.take():
            return True
        self.found.unread = True
        return False

    async def failure_fields(self, failure: Any) -> dict[str, Any]:
        """The two fields of a finding for a failure; empty without one."""
        if failure is None:
            return {}
        text = await failure_text(failure, self.calls.client.data_converter)
        return {"last_failure": text.line, "failure": text.lines}

    def to_real_time(self, when: datetime) -> datetime:
        """A time of the workflow's own clock, which time skipping may have set ahead, on our clock."""
        return when - self.ahead

    def waits_too_long(self, since: datetime) -> bool:
        """Whether a task that was scheduled then has waited too long."""
        return self.now - since > self.thresholds.waiting

    def add_need(self, queue: Queue, since: datetime | None) -> None:
        """The workflow needs a worker on that task queue."""
        self.found.needs.append(PollerNeed(queue, self.info, since))

    def add_suspect(self, finding: Finding, unless_unpolled: Queue | None = None) -> None:
        """Add a finding."""
        self.found.suspects.append(Suspect(finding, unless_unpolled))

    def add_waiting(self, finding: Finding, queue: Queue, since: datetime) -> None:
        """Add a finding about a task that waits for a worker since then."""
        same = queue[0] == self.info.task_queue  # an activity elsewhere may run in another deployment
        wait = Wait(since, wanted_version(self.info) if same else None)
        self.found.suspects.append(Suspect(finding, queue, wait))

    @property
    def id(self) -> str:
        """The workflow's id."""
        return self.info.execution.workflow_id

    def finding(
        self, kind: Kind, what: str, hint: hints.Hint = hints.NONE, *, queue: str | None = None, **more: Any
    ) -> Finding:
        """A finding about this workflow, by default on its own task queue."""
        return Finding(
            kind=kind,
            workflow_id=self.id,
            run_id=self.info.execution.run_id,
            workflow_type=self.info.type.name,
            task_queue=self.info.task_queue if queue is None else queue,
            what=what,
            hint=hint.text,
            command=hint.command,
            **more,
        )


def because(reason: str) -> str:
    """A reason as the end of a sentence; empty without one."""
    return f": {reason}" if reason else ""
