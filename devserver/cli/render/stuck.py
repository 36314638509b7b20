"""Blocked workflows as lines for a terminal, as lines of a log, and as JSON."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from ...system.json_form import FORM
from ...system.timefmt import age
from .progress_lines import ProgressLines
from .terminal import clean, stamp, wrapped

if TYPE_CHECKING:
    from ...stuck import Finding, FindingWaits, StuckProgress, StuckReport

INDENT = "    "
NAMED = 3
PROGRESS_AFTER = 1.0
MEANT = ("workflow_paused", "activity_paused")

Offer = Callable[["Finding"], Sequence[str]]


class StuckProgressLines:
    """How far the examination of many workflows is, with the first problems; nothing unless it is `wanted`."""

    def __init__(self, *, wanted: bool) -> None:
        self._view = ProgressLines(PROGRESS_AFTER, wanted=wanted)

    def advance(self, progress: StuckProgress) -> None:
        """One more workflow has been examined."""
        self._view.show(lambda: list(_progress(progress)))

    def end(self) -> None:
        """Erase the lines."""
        self._view.end()


def _progress(progress: StuckProgress) -> Iterator[str]:
    found = f", {progress.found:,} problems so far" if progress.found else ""
    yield f"examined {progress.examined:,} of {progress.of:,} open workflows{found}"
    for finding in progress.first:
        yield clean(f"{finding.kind.replace('_', ' ')}: {finding.workflow_id} ({finding.workflow_type})")


def screen(report: StuckReport, label: str, offer: Offer) -> Iterator[str]:
    """The report, the worst first; findings that differ only in the workflow are shown once.

    `offer` makes the command that is suggested for a finding, no words if there is none.
    """
    groups = _alike(report.findings)
    for group in groups:
        yield from _paragraph(group, report.at, offer)
        yield ""
    for note in report.notes:
        yield from wrapped(f"note: {note}")
    yield from wrapped(summary(report, label))


def summary(report: StuckReport, label: str) -> str:
    """One sentence: how many workflows are blocked, where, and how many were examined."""
    count = len(report.findings)
    much = "nothing is stuck" if not count else "1 thing is stuck" if count == 1 else f"{count} things are stuck"
    return f"{much} in the namespace {clean(report.namespace)} at {clean(label)}; {_looked(report)}"


def _looked(report: StuckReport) -> str:
    if not report.open:
        return "no workflow is open"
    if report.complete:
        return f"open workflows: {report.open:,}, all examined"
    return (
        f"examined {report.examined:,} of {report.open:,} open workflows (those that the server marks, the oldest and "
        "the newest): choose with --query, or raise --max-workflows"
    )


def change(sign: str, finding: Finding, at: datetime, more: str = "") -> str:
    """One line for a log: `+` for a new finding, `-` for one that is over."""
    failure = f": {finding.last_failure}" if finding.last_failure and sign == "+" else ""
    return clean(f"{stamp(at)} {sign} {finding.kind} {finding.workflow_id}: {finding.what}{failure}{more}")


def as_json(report: StuckReport, address: str) -> dict[str, Any]:
    """The documented form (docs/json.md)."""
    return {
        "form": FORM,
        "address": address,
        "namespace": report.namespace,
        "at": stamp(report.at),
        "open": report.open,
        "examined": report.examined,
        "complete": report.complete,
        "notes": list(report.notes),
        "findings": [_finding_json(finding, report.at) for finding in report.findings],
    }


def _finding_json(finding: Finding, at: datetime) -> dict[str, Any]:
    values = asdict(finding)
    values["since"] = None if finding.since is None else stamp(finding.since)
    values["next_retry"] = None if finding.next_retry is None else stamp(finding.next_retry)
    values["age_seconds"] = None if finding.since is None else max(0, round((at - finding.since).total_seconds(), 3))
    values["command"] = list(finding.command)
    values["failure"] = list(finding.failure)
    if finding.waits is not None:
        for timer in values["waits"]["timers"]:
            timer["due"] = stamp(timer["due"])
    return values


def _alike(findings: Sequence[Finding]) -> list[list[Finding]]:
    """Findings that differ only in the workflow, together, in the order of the first of each."""
    groups: dict[tuple[str | None, ...], list[Finding]] = {}
    for finding in findings:
        key = (
            finding.kind,
            finding.task_queue,
            finding.workflow_type,
            finding.activity_type,
            finding.last_failure,
            finding.hint,
        )
        groups.setdefault(key, []).append(finding)
    return list(groups.values())


def _paragraph(group: Sequence[Finding], at: datetime, offer: Offer) -> Iterator[str]:
    first = group[0]
    yield from _head(first, at)
    about = first.what if first.attempts is None or first.activity_id else f"{first.what}, attempt {first.attempts}"
    yield from wrapped(about + _retry(first, at), INDENT)
    if first.last_failure:
        yield from wrapped(first.last_failure, INDENT)
    if first.kind != "no_worker":
        yield from wrapped(f"task queue {first.task_queue}", INDENT)
    if first.waits is not None:
        yield from _waits(first.waits, at)
    yield from _more(group[1:])
    yield from wrapped(f"-> {first.hint}", INDENT, "   ")
    words = offer(first)
    if words:
        yield f"{INDENT}   {clean(shlex.join(words))}"


def _waits(waits: FindingWaits, at: datetime) -> Iterator[str]:
    """Where the code waits, what it takes, and its timers: the innermost line of each stack."""
    for number, stack in enumerate(waits.stacks[:NAMED]):
        yield INDENT + clean(f"{'and' if number else 'waits'} at {stack[0]}")
    if waits.handlers:
        takes = ", ".join(f"{handler.kind} {handler.name}" for handler in waits.handlers)
        yield from wrapped(f"takes {takes}", INDENT)
    for timer in waits.timers[:NAMED]:
        fires = f"fires in {age(timer.due - at)}" if timer.due > at else f"is due since {age(at - timer.due)}"
        yield from wrapped(f"timer {timer.timer_id} {fires}", INDENT)
    if waits.details:
        yield from wrapped(f"details: {' '.join(waits.details.split())}", INDENT)
    for note in waits.notes:
        yield from wrapped(f"note: {note}", INDENT)


def _head(finding: Finding, at: datetime) -> Iterator[str]:
    """What is wrong with which workflow for how long; ids stay whole, so that they can be copied."""
    kind = finding.kind.replace("_", " ")
    since = f", {age(at - finding.since)}" if finding.since is not None else ""
    text = f"{kind}: {clean(finding.workflow_id)} ({clean(finding.workflow_type)}){since}"
    lines = wrapped(text, hanging=INDENT)
    colour = "yellow" if finding.kind in MEANT else "red"
    if lines[0].startswith(kind):
        lines[0] = click.style(kind, fg=colour, bold=True) + lines[0][len(kind) :]
    yield from lines


def _retry(finding: Finding, at: datetime) -> str:
    if finding.next_retry is None or finding.next_retry <= at:
        return ""
    return f" in {age(finding.next_retry - at)}"


def _more(others: Sequence[Finding]) -> Iterator[str]:
    """Other workflows with the same problem: the first few by id."""
    if not others:
        return
    names = ", ".join(other.workflow_id for other in others[:NAMED])
    rest = f" and {len(others) - NAMED:,} more (--json lists all)" if len(others) > NAMED else ""
    yield from wrapped(f"the same in {names}{rest}", INDENT)
