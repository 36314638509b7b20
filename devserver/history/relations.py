"""How a run or a step relates to others: other executions, the run before and after, failed workflow tasks."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from temporalio.api.failure.v1 import Failure

OriginKind = Literal["started", "continued_as_new", "retried", "cron", "reset"]


@dataclass(frozen=True)
class Execution:
    """Another workflow's run. `run_id` is empty if it is unknown, `namespace` if it is the same one."""

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


@dataclass(frozen=True)
class RunOrigin:
    """How a run began.

    Attributes:
        run_id: The run before; empty if there was none.
        event_id: For a reset, the last event that comes from the run before, else 0.
        by: The identity of the client that started or reset it.
        reason: The reason of a reset.
        schedule_id: The schedule that started it, else empty.
        parent: The workflow that started it as a child; `parent_event` is the event of that run which did.
        root: The workflow at the top of the tree; None if it is this one.
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
    """The failed workflow tasks in a run's history: their number, and the last one."""

    count: int = 0
    last_at: datetime | None = None
    failure: Failure | None = None
