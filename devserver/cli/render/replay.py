"""The report of a replay: text, JSON, JUnit XML, and its progress."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as Xml

import click

from ...replay import Outcome
from ...replay.report import histories, problem, reason
from .output import form
from .progress_lines import ProgressLines
from .terminal import clean, wrapped

if TYPE_CHECKING:
    from ...replay import FailureGroup, HistoryOutcome, Sample
    from ...replay.report import ReplayReport

SUITE = "devserver replay"
MOST_NAMED = 10
INDENT = "  "


def sampled(status: str, sample: Sample) -> str:
    """How the workflows of one status were chosen."""
    count = len(sample.candidates)
    if count == sample.total:
        return f"{status}: all {count:,}"
    of = f" of the last {sample.looked_at:,}" if sample.looked_at < sample.total else ""
    return f"{status}: {count:,} of {sample.total:,}, a sample of {sample.shapes:,} shapes{of}"


def lines(report: ReplayReport) -> Iterator[str]:
    """The report for a terminal."""
    colour = {"fg": "green"} if report.passed else {"fg": "red", "bold": True}
    head, *rest = wrapped(f"{report.head}: {report.verdict}", hanging=INDENT)
    yield head.replace(report.verdict, click.style(report.verdict, **colour))
    yield from rest
    for note in report.notes:
        yield from wrapped(note, INDENT, INDENT)
    if report.gone:
        yield from wrapped(f"{histories(report.gone)} deleted meanwhile", INDENT, INDENT)
    for group in report.groups:
        yield ""
        yield from _group(group, report.again)
    if report.advice:
        yield ""
        yield from wrapped(f"hint: {report.advice}", hanging=INDENT)


def _group(group: FailureGroup, again: Sequence[str]) -> Iterator[str]:
    example = group.example
    failure = example.failure
    name = clean(group.workflow_type) or "unknown type"
    yield click.style(f"{name}: {histories(len(group.outcomes))} {problem(group)}", fg="red", bold=True)
    if failure is None:
        return
    yield from wrapped(reason(group), INDENT, INDENT)
    if failure.event:
        yield from wrapped(f"nearest event: {failure.event_id}, {failure.event}", INDENT, INDENT)
    for line in failure.where:
        yield INDENT + clean(line)
    yield from wrapped(f"in {_names(group)}", INDENT, INDENT)
    if example.outcome is Outcome.DIVERGES:
        yield f"{INDENT}debug it: {shlex.join([*again, '--debug', example.candidate.workflow_id])}"


def _names(group: FailureGroup) -> str:
    """The workflows of a group, its example first."""
    example = group.example
    others = [outcome for outcome in group.outcomes if outcome is not example]
    names = [_name(outcome) for outcome in (example, *others[: MOST_NAMED - 1])]
    more = len(group.outcomes) - len(names)
    return ", ".join(names) + (f" and {more:,} more" if more > 0 else "")


def _name(outcome: HistoryOutcome) -> str:
    candidate = outcome.candidate
    return candidate.file or candidate.workflow_id


def as_json(report: ReplayReport) -> dict[str, Any]:
    """The report as JSON (docs/json.md)."""
    return form(
        module=report.spec,
        passed=report.passed,
        counts={outcome.name.lower(): report.counts[outcome] for outcome in Outcome},
        sampled=list(report.notes),
        failures=[_group_json(group) for group in report.groups],
    )


def _group_json(group: FailureGroup) -> dict[str, Any]:
    failure = group.example.failure
    return {
        "workflow_type": group.workflow_type,
        "outcome": group.example.outcome.name.lower(),
        "reason": failure.reason if failure else "",
        "event_id": failure.event_id if failure else 0,
        "event": failure.event if failure else "",
        "where": list(failure.where) if failure else [],
        "place": failure.place if failure else "",
        "histories": [
            {
                "workflow_id": outcome.candidate.workflow_id,
                "run_id": outcome.candidate.run_id,
                "file": outcome.candidate.file,
                "events": outcome.events,
            }
            for outcome in (group.example, *(each for each in group.outcomes if each is not group.example))
        ],
    }


def write_junit(outcomes: Sequence[HistoryOutcome], file: Path) -> None:
    """Write JUnit XML: a test case for each history, by its workflow type.

    Raises:
        ReportNotWritten: The file cannot be written.
    """
    from . import junit

    bad = sum(outcome.bad for outcome in outcomes)
    counts = {"tests": str(len(outcomes)), "failures": str(bad), "errors": "0"}
    root = Xml.Element("testsuites", {"name": SUITE, **counts})
    suite = Xml.SubElement(root, "testsuite", {"name": SUITE, **counts})
    for outcome in outcomes:
        kind = clean(outcome.candidate.workflow_type) or "history"
        case = Xml.SubElement(suite, "testcase", classname=kind, name=clean(_name(outcome)))
        if outcome.outcome is Outcome.GONE:
            Xml.SubElement(case, "skipped", message="deleted meanwhile")
        elif outcome.bad and outcome.failure is not None:
            reason = clean(outcome.failure.reason)
            failure = Xml.SubElement(case, "failure", message=reason, type=outcome.outcome.name.lower())
            failure.text = "\n".join(map(clean, outcome.failure.where))
    junit.write_document(root, file)


class ReplayProgress:
    """How far the replay is."""

    def __init__(self) -> None:
        self._view = ProgressLines()
        self._total = self._done = self._bad = 0

    def begin(self, total: int) -> None:
        """Begin with this number of histories."""
        self._total = total

    def advance(self, outcome: HistoryOutcome) -> None:
        """One more is done."""
        self._done += 1
        self._bad += outcome.bad
        self._view.show(lambda: [f"replaying: {self._done:,} of {self._total:,} histories, {self._bad:,} fail"])

    def end(self) -> None:
        """Erase the line."""
        self._view.end()
