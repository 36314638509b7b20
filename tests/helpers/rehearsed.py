"""Hand-made results of rehearsals, for tests of their presentation."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from typing import Any

from devserver.rehearsal.ledger import Effect
from devserver.rehearsal.scenario.result import Judgement, RehearsalRun, Result, StepResult
from devserver.rehearsal.scenario.timeline import Mark

BEGAN = datetime(2026, 3, 1, 12, 0, tzinfo=timezone.utc)
KILL = "the worker is killed (-9) and down for 1 s"


def effect(at: float, key: str, attempt: int = 1, **more: Any) -> Effect:
    """Return an added node, `at` seconds after the start."""
    fields: dict[str, Any] = {"name": "add_node", "detail": {}, "activity": "add_node", "activity_id": "1", **more}
    return Effect(at=BEGAN.timestamp() + at, key=key, workflow_id="w", attempt=attempt, pid=1, **fields)


def attempt(at: float, until: float | None, number: int = 1, ident: str = "1", **detail: Any) -> Mark:
    """Return an attempt of an activity that adds a node."""
    return Mark(at, "activity", "add_node", until, {"attempt": number, "id": ident, **detail})


def run(marks: Sequence[Mark] = (), effects: Sequence[Effect] = (), **more: Any) -> RehearsalRun:
    """Return a completed run of 5 s."""
    fields: dict[str, Any] = {
        "workflow_id": "rehearsal-1",
        "began": BEGAN,
        "started": 0.1,
        "ended": 5.1,
        "status": "completed",
        "output": 6,
        "failure": None,
        "histories": (),
        **more,
    }
    return RehearsalRun(marks=tuple(marks), effects=tuple(effects), **fields)


def twice(**more: Any) -> RehearsalRun:
    """Return a run in which a node was added twice, because the worker was killed in between."""
    marks = [
        Mark(0.0, "server", "up", 5.2, {}),
        Mark(0.05, "worker", "runbook", 1.1, {"ended": "killed"}),
        attempt(1.0, 1.1, ended="completes"),
        Mark(1.1, "fault", KILL, 2.1, {"trigger": "add_node completes", "planned_seconds": 1.0}),
        Mark(2.1, "worker", "runbook", 5.2, {"ended": "gracefully"}),
        attempt(3.0, 3.5, 2, ended="completes"),
    ]
    fields: dict[str, Any] = {
        "effects": [effect(1.05, "node-5"), effect(3.25, "node-5", 2)],
        "steps": [StepResult(f"1st time that add_node completes: {KILL}", 1.1, "add_node completes (attempt 1)")],
        "server_log": [_logged(0.5, "the server sees the worker"), _logged(30, "long after")],
        "worker_log": [_logged(2.5, "connected again"), "a line without a time"],
        **more,
    }
    return run(marks, **fields)


def result(made: RehearsalRun | None, **more: Any) -> Result:
    """Return its result: a failure by default."""
    fields: dict[str, Any] = {
        "name": "scale up",
        "verdict": "fail",
        "reason": "add_node exactly once: add_node node-5 happened 2 times",
        "judgements": [
            Judgement("completes within 20 s", "pass", "it completed after 5.00 s"),
            Judgement("add_node exactly once", "fail", "add_node node-5 happened 2 times", ["one", "two"]),
        ],
        "seed": 7,
        "versions": {"server": "1.32.0"},
        "file": "/runbooks/scale up.py",
        **more,
    }
    return Result(run=made, **fields)


def _logged(at: float, text: str) -> str:
    return f"time={(BEGAN + timedelta(seconds=at)).isoformat()} level=WARN msg={text!r}"
