"""What the progress of a rehearsal is called, on a terminal and elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...rehearsal.report.text import clean, seconds
from ..options.rehearsal import Task, Wanted

if TYPE_CHECKING:
    from ...rehearsal.run.sweep import SweepProgress
    from ...rehearsal.scenario.timeline import Mark

LANES = ("server", "worker", "network", "database", "fault", "drill", "activity", "check")


def heading(task: Task, wanted: Wanted) -> str:
    """Which rehearsal it is."""
    turn = f" (turn {task.turn} of {wanted.repeat})" if wanted.repeat > 1 else ""
    return f"[{task.number}/{wanted.total}] {clean(task.scenario.name, 120)}{turn}"


def beginning(task: Task, wanted: Wanted) -> str:
    """What is done before the runbook is broken, which takes a few seconds."""
    first = wanted.sweep or task.scenario.needs_baseline
    return "a server starts" + (", and the runbook runs once with nothing done to it" if first else "")


def what(mark: Mark) -> str:
    """What happens, in a few words."""
    if mark.lane == "activity":
        number = mark.detail.get("attempt", 1)
        return clean(mark.what, 120) + (f", attempt {number}" if number != 1 else "")
    return "up" if mark.lane in ("server", "worker") else clean(mark.what, 200)


def how_far(progress: SweepProgress) -> str:
    """How far a sweep is, in words."""
    left = f", about {seconds(progress.seconds_left)} left" if progress.seconds_left else ""
    return f"{progress.done} of {progress.total} points, {progress.failed} not passed{left}"


def bar(progress: SweepProgress, width: int = 24) -> str:
    """How far a sweep is, as a bar."""
    full = width * progress.done // max(progress.total, 1)
    return f"[{'#' * full}{'.' * (width - full)}]"


def line(mark: Mark) -> str:
    """A line for something that happens."""
    return f"  {mark.at:9.3f} s  {mark.lane:<8}  {what(mark)}"
