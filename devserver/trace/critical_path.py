"""The critical path of a run: the steps that its duration depends on, each beginning where the one before it ended."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from ..history.model import Step, WorkflowRun

MOMENTS = ("signal", "cancel", "update")  # what comes from outside: the workflow had waited for it
# Kinds that a workflow can wait for.
AWAITED = (*MOMENTS, "activity", "local_activity", "timer", "child", "nexus")


@dataclass(frozen=True)
class CriticalStep:
    """A step of a critical path, and how long the run depended on it: from its schedule to its close, or for what comes
    from outside, from the end of the step before it."""

    step: Step
    time: timedelta


@dataclass(frozen=True)
class CriticalPath:
    """The steps, the first one first, and how much of the run's time they cover (0 to 1)."""

    steps: tuple[CriticalStep, ...]
    share: float

    @property
    def event_ids(self) -> frozenset[int]:
        """The events that opened the steps."""
        return frozenset(item.step.event_id for item in self.steps)


def critical_path(run: WorkflowRun, now: datetime) -> CriticalPath:
    """Go back from the end of a run (`now` if it is open) to its start: each time to the step that ended last before.

    Steps before a gap are those that the workflow had waited for when it scheduled the next one, as far as times tell.
    """
    end = run.closed or now
    start = run.started or end
    found: list[tuple[Step, datetime]] = []
    cursor = end
    ended = sorted(_ended(run, now), key=lambda item: (item[1], -item[0].event_id), reverse=True)
    for step, finish in ended:
        if cursor <= start:
            break
        if finish > cursor or (step.scheduled >= cursor and step.kind not in MOMENTS):
            continue
        found.append((step, finish))
        cursor = step.scheduled
    steps, before = [], start
    for step, finish in reversed(found):
        begun = min(before, step.scheduled) if step.kind in MOMENTS else step.scheduled
        steps.append(CriticalStep(step, max(finish - begun, timedelta(0))))
        before = finish
    whole = (end - start).total_seconds()
    covered = sum(item.time.total_seconds() for item in steps)
    return CriticalPath(tuple(steps), min(1.0, covered / whole) if whole > 0 else 0.0)


def _ended(run: WorkflowRun, now: datetime) -> Iterator[tuple[Step, datetime]]:
    for step in run.own_steps:
        if step.kind not in AWAITED or not step.timed:
            continue
        if step.kind in ("signal", "cancel"):
            yield step, step.scheduled
        elif step.closed is not None and step.status != "unfinished":
            yield step, step.closed
        elif step.open and run.closed is None:
            yield step, now
