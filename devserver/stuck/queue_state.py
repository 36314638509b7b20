"""What the server shows of the workers of a task queue: their last polls, their versions, and the slots they report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timezone

from temporalio.api.taskqueue.v1 import PollerInfo
from temporalio.api.worker.v1 import WorkerHeartbeat, WorkerSlotsInfo
from temporalio.api.workflowservice.v1 import DescribeTaskQueueResponse

from ..client.calls import still_polls
from ..client.timestamps import to_datetime
from . import hints
from .inspection import ACTIVITY, Queue, Wait
from .versions import mismatch

NAMED = 3
BEFORE_ALL = datetime.min.replace(tzinfo=timezone.utc)


@dataclass(frozen=True)
class QueueState:
    """One kind of tasks of a task queue. `reports`: the last reports of its workers, as far as they send any."""

    queue: Queue
    description: DescribeTaskQueueResponse
    reports: Sequence[WorkerHeartbeat]
    now: datetime

    @property
    def last(self) -> PollerInfo | None:
        """The worker that polled last, as the server remembers it (about five minutes)."""
        return max(self.description.pollers, key=_polled_at, default=None)

    @property
    def polled(self) -> list[PollerInfo]:
        """Workers whose last poll is so recent that they may still be there."""
        return [poller for poller in self.description.pollers if still_polls(poller, self.now)]

    @property
    def full(self) -> list[WorkerHeartbeat]:
        """Workers that reported no free slot. They do not poll, so they look like workers that have gone."""
        polled = {poller.identity: _polled_at(poller) for poller in self.description.pollers}
        return [
            report
            for report in self.reports
            if self._slots(report).current_used_slots > 0
            and self._slots(report).current_available_slots == 0
            and polled.get(report.worker_identity, BEFORE_ALL) < to_datetime(report.heartbeat_time)
        ]

    @property
    def unpolled(self) -> bool:
        """Whether no worker polls, and none is known that would poll if it had a free slot."""
        return not self.polled and not self.full

    def hint(self, wait: Wait) -> hints.Hint:
        """Why the task waits, as far as the server shows it, and what would help."""
        name, kind = self.queue[0], "activity" if self.queue[1] == ACTIVITY else "workflow"
        full = {report.worker_identity for report in self.full}
        versions = mismatch(wait.version, self.description.versioning_info, self.polled) if wait.version else None
        if versions is not None:
            return hints.waiting(name, versions)
        if full and all(poller.identity in full for poller in self.polled):
            return hints.waiting(
                name, f"{self._full_text(kind)}: wait for one if that worker still runs, or start another"
            )
        if self.last is None or _polled_at(self.last) <= wait.since:
            text = (
                f"no worker has polled the task queue {name} for {kind} tasks since this one began to wait"
                f"{self.last_text()}: check whether it was killed, is frozen, or has no free slots"
            )
            return hints.waiting(name, text)
        text = (
            f"workers poll the task queue {name}{self.last_text()}, but none has started this {kind} task"
            f"{self._backlog()}: check whether they are busy (no free slots) or were just killed"
        )
        return hints.waiting(name, text)

    def last_text(self) -> str:
        """Who polled last, as the end of a sentence; empty if the server remembers nobody."""
        if self.last is None:
            return ""
        return f"; the last was {self.last.identity}, at {_polled_at(self.last):%H:%M:%S} UTC"

    def _full_text(self, kind: str) -> str:
        full = sorted(self.full, key=lambda report: report.worker_identity)
        named = [f"{each.worker_identity} ({self._slots(each).current_used_slots} in use)" for each in full[:NAMED]]
        more = f" and {len(full) - NAMED} more" if len(full) > NAMED else ""
        verb = "report" if len(full) > 1 else "reports"
        oldest = min(to_datetime(each.heartbeat_time) for each in full)
        return f"{', '.join(named)}{more} {verb} no free {kind} slot, at {oldest:%H:%M:%S} UTC"

    def _backlog(self) -> str:
        stats = self.description.stats
        if stats.rate_limiting_active:
            return "; the rate limit of the task queue delays tasks"
        count = stats.approximate_backlog_count
        return f"; about {count:,} tasks wait there" if count > 1 else ""

    def _slots(self, report: WorkerHeartbeat) -> WorkerSlotsInfo:
        return report.activity_task_slots_info if self.queue[1] == ACTIVITY else report.workflow_task_slots_info


def _polled_at(poller: PollerInfo) -> datetime:
    return to_datetime(poller.last_access_time)


def last_of(states: Sequence[QueueState]) -> QueueState:
    """The state whose last poll is the most recent."""
    return max(states, key=lambda state: _polled_at(state.last) if state.last else BEFORE_ALL)
