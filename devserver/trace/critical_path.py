"""The critical path of a run: the steps that its duration depends on, each beginning where the one before it ended."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from ..history.model import Step, WorkflowRun

MOMENTS = ("signal", "cancel")  # what the workflow waited for, without a duration
# Kinds that a workflow can wait for.
AWAITED = (*MOMENTS, "activity", "local_activity", "timer", "child", "nexus", "update")


@dataclass(frozen=True)
class CriticalPath:
    """The steps, the first one first, and how much of the run's time they cover (0 to 1)."""

    steps: tuple[Step, ...]
    share: float

    @property
    def event_ids(self) -> frozenset[int]:
        """The events that opened the steps."""
        return frozenset(step.event_id for step in self.steps)


def critical_path(run: WorkflowRun, now: datetime) -> CriticalPath:
    """Go back from the end of a run (`now` if it is open) to its start: each time to the step that ended last before.

    Steps before a gap are those that the workflow had waited for when it scheduled the next one, as far as times tell.
    """
    end = run.closed or now
    start = run.started or end
    steps, covered, cursor = [], timedelta(0), end
    ended = sorted(_ended(run, now), key=lambda item: (item[1], -item[0].event_id), reverse=True)
    for step, finish in ended:
        if cursor <= start:
            break
        if finish > cursor or (step.scheduled >= cursor and step.kind not in MOMENTS):
            continue
        steps.append(step)
        covered += finish - step.scheduled
        cursor = step.scheduled
    whole = (end - start).total_seconds()
    return CriticalPath(tuple(reversed(steps)), min(1.0, covered.total_seconds() / whole) if whole > 0 else 0.0)


def _ended(run: WorkflowRun, now: datetime) -> Iterator[tuple[Step, datetime]]:
    for step in run.own_steps:
        if step.kind not in AWAITED or not step.timed:
            continue
        if step.kind in MOMENTS:
            yield step, step.scheduled
        elif step.closed is not None and step.status != "unfinished":
            yield step, step.closed
        elif step.open and run.closed is None:
            yield step, now
