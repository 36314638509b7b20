"""How what is stuck is written: for a person who was woken up, for a log line by line, and as JSON."""

from __future__ import annotations

import shlex
import textwrap
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from ...system.timefmt import age
from .output import FORM
from .terminal import clean, stamp, width_now

if TYPE_CHECKING:
    from ...stuck import Finding, StuckReport

INDENT = "    "
NAMED = 3
MEANT = ("workflow_paused", "activity_paused")

Offer = Callable[["Finding"], Sequence[str]]


def screen(report: StuckReport, label: str, offer: Offer) -> Iterator[str]:
    """The report in lines as wide as the terminal, the worst first; what is alike is told once.

    `offer` makes the command that is offered for a finding, no words where there is none.
    """
    width = width_now()
    groups = _alike(report.findings)
    for group in groups:
        yield from _paragraph(group, report.at, offer, width)
        yield ""
    for note in report.notes:
        yield from textwrap.wrap(f"note: {note}", width)
    yield from textwrap.wrap(summary(report, label), width)


def summary(report: StuckReport, label: str) -> str:
    """One sentence: how much is stuck, where, and of how much that was looked at."""
    count = len(report.findings)
    much = "nothing is stuck" if not count else "1 thing is stuck" if count == 1 else f"{count} things are stuck"
    return f"{much} in the namespace {clean(report.namespace)} at {clean(label)}; {_looked(report)}"


def _looked(report: StuckReport) -> str:
    if not report.open:
        return "no workflow is open"
    if report.complete:
        return f"open workflows: {report.open:,}, all looked at"
    return (
        f"looked at {report.examined:,} of {report.open:,} open workflows (those the server marks, the oldest and the "
        "newest): narrow it with --query, or raise --limit"
    )


def change(sign: str, finding: Finding, at: datetime, more: str = "") -> str:
    """One line for a log: `+` something is stuck, `-` it is over."""
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
    return values


def _alike(findings: Sequence[Finding]) -> list[list[Finding]]:
    """Findings that differ only in the workflow, together, in the order of the first of each."""
    groups: dict[tuple[str | None, ...], list[Finding]] = {}
    for each in findings:
        key = (each.kind, each.task_queue, each.workflow_type, each.activity_type, each.last_failure)
        groups.setdefault(key, []).append(each)
    return list(groups.values())


def _paragraph(group: Sequence[Finding], at: datetime, offer: Offer, width: int) -> Iterator[str]:
    first = group[0]
    yield from _head(first, at, width)
    about = first.what if first.attempts is None or first.activity_id else f"{first.what}, attempt {first.attempts}"
    yield from _wrapped(about + _retry(first, at), width)
    if first.last_failure:
        yield from _wrapped(first.last_failure, width)
    if first.kind != "no_worker":
        yield from _wrapped(f"task queue {first.task_queue}", width)
    yield from _more(group[1:], width)
    yield from _wrapped(f"-> {first.hint}", width, hanging="   ")
    words = offer(first)
    if words:
        yield f"{INDENT}   {clean(shlex.join(words))}"


def _head(finding: Finding, at: datetime, width: int) -> Iterator[str]:
    """What is wrong with which workflow for how long; ids stay whole, so that they can be copied."""
    kind = finding.kind.replace("_", " ")
    since = f", {age(at - finding.since)}" if finding.since is not None else ""
    text = f"{kind}: {clean(finding.workflow_id)} ({clean(finding.workflow_type)}){since}"
    lines = textwrap.wrap(text, width, subsequent_indent=INDENT, break_long_words=False, break_on_hyphens=False)
    colour = "yellow" if finding.kind in MEANT else "red"
    if lines[0].startswith(kind):
        lines[0] = click.style(kind, fg=colour, bold=True) + lines[0][len(kind) :]
    yield from lines


def _retry(finding: Finding, at: datetime) -> str:
    if finding.next_retry is None or finding.next_retry <= at:
        return ""
    return f" in {age(finding.next_retry - at)}"


def _more(others: Sequence[Finding], width: int) -> Iterator[str]:
    """The others that are alike, by name as far as there is room."""
    if not others:
        return
    names = ", ".join(each.workflow_id for each in others[:NAMED])
    rest = f" and {len(others) - NAMED:,} more (--json has all)" if len(others) > NAMED else ""
    yield from _wrapped(f"the same in {names}{rest}", width)


def _wrapped(text: str, width: int, hanging: str = "") -> list[str]:
    return textwrap.wrap(
        clean(text),
        width,
        initial_indent=INDENT,
        subsequent_indent=INDENT + hanging,
        break_long_words=False,
        break_on_hyphens=False,
    )
