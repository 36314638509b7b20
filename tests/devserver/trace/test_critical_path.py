"""The critical path of a run."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

from devserver.history.model import Step, StepKind, WorkflowRun
from devserver.trace.critical_path import critical_path
from devserver.trace.page.heading import path_text

START = datetime(2026, 3, 1, tzinfo=timezone.utc)


def at(seconds: float) -> datetime:
    """A moment after the run's start."""
    return START + timedelta(seconds=seconds)


def step(number: int, name: str, begin: float, end: float | None, kind: StepKind = "activity", **more: Any) -> Step:
    """A step of the run."""
    closed = None if end is None else at(end)
    status = "running" if end is None else "completed"
    return Step(kind, name, number, **{"status": status, "scheduled": at(begin), "closed": closed, **more})


def names(*steps: Step, end: float | None = 10.0) -> list[str]:
    """The names of the steps on the path of a run of ten seconds."""
    run = WorkflowRun("w", "r", started=START, closed=None if end is None else at(end), steps=list(steps))
    return [found.step.name for found in critical_path(run, at(10)).steps]


def test_of_parallel_steps_the_longest_counts() -> None:
    """The path goes through the slower branch, and through what came before and after both."""
    steps = step(1, "first", 0, 2), step(2, "quick", 2.1, 3), step(3, "slow", 2.1, 8), step(4, "last", 8.1, 10)
    assert names(*steps) == ["first", "slow", "last"]


def test_the_share_of_the_time() -> None:
    """Time in which the workflow waited for nothing is not covered."""
    run = WorkflowRun("w", "r", started=START, closed=at(10), steps=[step(1, "a", 0, 4), step(2, "b", 5, 9)])
    assert critical_path(run, at(10)).share == 0.8


def test_signals_markers_and_what_nobody_waited_for() -> None:
    """A signal that the workflow waited for is on the path; a marker, and a step left unfinished, are not."""
    steps = [
        step(1, "first", 0, 2),
        step(2, "abandoned", 2, 10, status="unfinished"),
        step(3, "go", 6, None, "signal", status="completed"),
        step(4, "patch", 6.1, 6.1, "marker"),
        step(5, "last", 6.2, 9.9),
    ]
    assert names(*steps) == ["first", "go", "last"]


def test_repeated_steps_and_waits_in_words() -> None:
    """Steps of one name in a row are one part; for a signal it is how long the workflow had waited."""
    steps = [
        *(step(number, "pack", number, number + 0.9) for number in range(3)),
        step(4, "go", 5, None, "signal", status="completed"),
        step(5, "ship", 5, 10),
    ]
    run = WorkflowRun("w", "r", started=START, closed=at(10), steps=steps)
    assert path_text(run, at(10)) == "3 × pack 2.7 s → signal go (waited 2.1 s) → ship 5 s: 98 % of the time"  # noqa: RUF001


def test_an_open_run_and_a_run_without_steps() -> None:
    """An open step lasts until now; a run without steps has no path."""
    assert names(step(1, "first", 0, 2), step(2, "waits", 2, None), end=None) == ["first", "waits"]
    assert names() == []
