"""A run that has not ended, made by hand: two nodes were added, then the worker was killed and one was added again."""

from __future__ import annotations

from dataclasses import replace

from devserver.rehearsal.scenario.result import RehearsalRun, StepResult
from devserver.rehearsal.scenario.timeline import Mark
from tests.helpers.rehearsed import KILL, attempt, effect, run

STEP = f"1st time that add_node completes: {KILL}"


def going_on(until: float, **more: object) -> RehearsalRun:
    """Return the run as it is known `until` then."""
    marks = [
        Mark(0.0, "server", "up", None, {}),
        Mark(0.05, "worker", "runbook", 1.1 if until > 1.1 else None, {"ended": "killed"} if until > 1.1 else {}),
        attempt(1.0, 1.1, ended="completes"),
        Mark(1.1, "fault", KILL, 2.1 if until > 2.1 else None, {"trigger": "add_node completes"}),
        Mark(2.1, "worker", "runbook", None, {}),
        attempt(3.0, None, 2),
    ]
    effects = [effect(1.05, "node-5"), effect(3.25, "node-5", 2)]
    made = run(
        [mark for mark in marks if mark.at <= until],
        [item for item in effects if item.at - effects[0].at + 1.05 <= until],
        steps=[StepResult(STEP, 1.1 if until > 1.1 else None, "add_node completes" if until > 1.1 else None)],
        **{"worker_log": ["time=2026-03-01T12:00:00Z level=INFO msg=connected"], **more},
    )
    return replace(made, ended=None, status="running", output=None, seen_until=until)
