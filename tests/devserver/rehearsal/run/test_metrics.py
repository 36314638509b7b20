"""Metrics of a run, computed from a list of marks."""

from __future__ import annotations

from datetime import datetime, timezone

from devserver.rehearsal.ledger import Effect
from devserver.rehearsal.run.downtime import Downtime
from devserver.rehearsal.run.metrics import Duplicate, RunMetrics
from devserver.rehearsal.scenario.result import RehearsalRun
from devserver.rehearsal.scenario.timeline import Lane, Mark

BEGAN = datetime(2026, 1, 1, tzinfo=timezone.utc)


def up(lane: Lane, at: float, until: float | None = None) -> Mark:
    """Return a time in which the lane was up."""
    return Mark(at, lane, "up", until, {} if until is None else {"ended": "killed"})


def attempt(at: float, until: float | None = None, number: str = "1") -> Mark:
    """Return an attempt of an activity."""
    detail = {"id": number, "workflow_id": "w", **({} if until is None else {"ended": "completes"})}
    return Mark(at, "activity", "act", until, detail)


def task(at: float) -> Mark:
    """Return a completed workflow task."""
    return Mark(at, "event", "WorkflowTaskCompleted")


def metrics(*marks: Mark, ended: float | None = 10.0, effects: tuple[Effect, ...] = ()) -> RunMetrics:
    """Return the metrics of a run from 1.0 to `ended`."""
    lanes = {mark.lane for mark in marks}
    always = [up(lane, 0.0) for lane in ("server", "worker") if lane not in lanes]
    ordered = sorted([*always, *marks], key=lambda mark: mark.at)
    return RunMetrics.of(RehearsalRun("w", BEGAN, 1.0, ended, "completed", None, None, [], ordered, effects))


def test_no_outage() -> None:
    """A run without faults has no outage and no recovery, and its longest gap is the idle time."""
    found = metrics(task(1.2), attempt(1.3, 4.0), task(4.1), attempt(4.2, 9.9))
    assert (found.outages, found.recovery, found.downtime, found.duplicates) == ([], None, 0, [])
    assert (round(found.idle, 3), found.idle_from) == (5.7, 4.2)
    assert (found.attempts, found.most_attempts) == ({"act": 2}, 2)


def test_outage_and_recovery() -> None:
    """Recovery lasts from the return to the next attempt or workflow task; what completes meanwhile does not count."""
    found = metrics(up("server", 0, 3.0), up("server", 5.0), attempt(2.9, 3.5), attempt(6.5, 7.0))
    assert found.outages == [Downtime("server", 3.0, 5.0, "killed", 1.5)]
    assert (found.downtime, found.recovery) == (2.0, 1.5)


def test_overlapping_outages() -> None:
    """Two simultaneous outages are one downtime, and neither counts as slow recovery of the other."""
    found = metrics(up("server", 0, 3.0), up("server", 4.0), up("worker", 0, 3.5), up("worker", 6.0), attempt(6.5))
    assert found.downtime == 3.0
    assert [outage.recovery for outage in found.outages] == [0.5, 0.5]


def test_continued_before_the_server_was_seen() -> None:
    """An attempt that starts before the server is known to answer is an immediate recovery."""
    found = metrics(up("server", 0, 3.0), up("server", 5.0), attempt(4.99, 9.0))
    assert [outage.recovery for outage in found.outages] == [0.0]


def test_no_recovery() -> None:
    """An outage that lasts until the end, or after which nothing continues, has no recovery."""
    found = metrics(up("worker", 0, 3.0), ended=8.0)
    assert found.outages == [Downtime("worker", 3.0, None, "killed", None)]
    assert (found.downtime, found.recovery) == (5.0, None)
    limit = Mark(9.0, "check", "the limit of 8 s has passed", None, {"limit": True})
    found = metrics(up("server", 0, 3.0), up("server", 4.0), limit, up("worker", 9.5), ended=None)
    assert [outage.recovery for outage in found.outages] == [None]
    assert found.idle == 8.0


def test_paused_time_is_not_idle() -> None:
    """Time in which an operator paused the runbook is not idle time."""
    paused = [Mark(2.0, "event", "WorkflowExecutionPaused"), Mark(9.0, "event", "WorkflowExecutionUnpaused")]
    assert round(metrics(attempt(1.5, 1.9), *paused, task(9.5)).idle, 3) == 0.6


def test_outage_after_the_end() -> None:
    """An outage after the end of the runbook does not count."""
    assert metrics(up("worker", 0, 10.5), task(2.0)).outages == []


def test_duplicates() -> None:
    """An effect that is recorded twice has both moments and attempts; another key is another effect."""
    effects = tuple(
        Effect(BEGAN.timestamp() + at, "add", key, {}, "w", "add_node", "1", number, 1)
        for at, key, number in [(2.0, "a", 1), (3.0, "b", 1), (4.0, "a", 2)]
    )
    assert metrics(effects=effects).duplicates == [Duplicate("add", "a", "add_node", [2.0, 4.0], [1, 2])]
