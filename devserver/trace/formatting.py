"""Texts of a trace: titles of steps, durations, states."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

from ..history.model import Step, WorkflowRun
from ..history.run_chain import RunSummary
from ..system.timefmt import age, lasted
from .repeats import Repeat, RepeatTimes

HOW = {
    "started": "started",
    "continued_as_new": "continued as new",
    "retried": "retried",
    "cron": "started by its cron schedule",
    "reset": "reset",
}


def after(start: datetime | None, when: datetime | None) -> str:
    """The time since a start, in 8 characters."""
    if start is None or when is None:
        return " " * 8
    seconds = max(0.0, (when - start).total_seconds())
    text = f"{seconds:.2f} s" if seconds < 59.995 else age(when - start)
    return f"{text:>8}"


def title(step: Step) -> str:
    """The title of a step."""
    make = TITLES.get(step.kind)
    return make(step) if make is not None else step.name


def _who(step: Step) -> str:
    return step.target.workflow_id if step.target is not None else step.identity


def _timer(step: Step) -> str:
    return f"timer {lasted(step.duration)}" if step.duration is not None else "timer"


def _nexus(step: Step) -> str:
    to = step.operation
    return f"nexus {to.endpoint} {to.service}.{to.name}" if to is not None else "nexus"


def _signal(step: Step) -> str:
    return f"signal {step.name}" + (f" from {step.target.workflow_id}" if step.target is not None else "")


def _failed_task(step: Step) -> str:
    return "workflow task failed" + (f" {step.attempts} times" if step.attempts > 1 else "")


TITLES: dict[str, Callable[[Step], str]] = {
    "timer": _timer,
    "nexus": _nexus,
    "signal": _signal,
    "workflow_task_failure": _failed_task,
    "child": lambda step: f"{step.name} {step.id}",
    "signal_out": lambda step: f"signal {step.name} to {_who(step)}",
    "update": lambda step: f"update {step.name}",
    "cancel": lambda step: "cancel requested" + (f" by {_who(step)}" if _who(step) else ""),
    "cancel_out": lambda step: f"cancel {_who(step)}",
    "marker": lambda step: f"{step.name} {step.id}".strip(),
    "pause": lambda step: "paused" + (f" by {step.identity}" if step.identity else ""),
    "local_activity": lambda step: f"{step.name} (local)",
}


def kind_title(figures: RepeatTimes) -> str:
    """The title of the steps of a pattern."""
    name = figures.name
    match figures.kind:
        case "timer":
            return f"timer {between(figures)}".strip()
        case "signal" | "signal_out" | "update" | "nexus":
            return f"{figures.kind.partition('_')[0]} {name}"
        case "cancel" | "cancel_out" | "pause" | "workflow_task_failure":
            return figures.kind.replace("_", " ")
        case "local_activity":
            return f"{name} (local)"
    return name


def between(figures: RepeatTimes) -> str:
    """The durations of a pattern's steps: one, or the shortest and the longest."""
    if figures.least is None or figures.most is None:
        return ""
    least, most = lasted(figures.least), lasted(figures.most)
    return least if least == most else f"{least} to {most}"


def repeat_state(repeat: Repeat) -> Iterator[str]:
    """The state of repeated steps, in a few words each."""
    if repeat.closed is not None and repeat.timed:
        yield f"{lasted(repeat.closed - repeat.started)} in all"
    if repeat.unfinished:
        yield f"{repeat.unfinished:,} unfinished"


def state(step: Step, now: datetime | None = None) -> Iterator[str]:
    """The state of a step, in a few words each, if it is not the usual one. `now`: also how long it has been open."""
    if step.status not in ("completed",) and step.kind not in ("workflow_task_failure", "pause"):
        yield step.status.replace("_", " ")
    took = step.took
    if step.open and now is not None:
        yield f"for {lasted(max(now - step.scheduled, timedelta(0)))}"
        if step.kind == "timer" and step.duration is not None:
            left = step.scheduled + step.duration - now
            yield f"fires in {lasted(left)}" if left >= timedelta(0) else f"due {lasted(-left)} ago"
    elif took is not None and step.kind not in ("signal", "cancel", "marker", "timer"):
        yield lasted(took)
    if not step.timed and not step.open:
        yield "duration unknown"
    if step.attempts > 1 and step.kind != "workflow_task_failure":
        yield f"{step.attempts} attempts"
    if step.next_retry is not None and now is not None and step.next_retry > now:
        yield f"next in {lasted(step.next_retry - now)}"


def run_state(run: WorkflowRun | RunSummary, now: datetime) -> str:
    """The state of a run."""
    words = run.status.replace("_", " ")
    if run.started is None:
        return words
    if run.closed is None:
        if run.begins is not None and run.begins > now:
            return f"starts in {lasted(run.begins - now)}"
        return f"{words} for {lasted(max(now - run.started, timedelta(0)))}"
    return f"{words} in {lasted(run.closed - run.started)}"
