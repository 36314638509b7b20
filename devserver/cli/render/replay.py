"""The report of a replay: text, JSON, JUnit XML, and its progress."""

from __future__ import annotations

import os
import shlex
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as Xml

import click

from ...replay import Outcome
from .output import form
from .terminal import clean, redraws, wrapped

if TYPE_CHECKING:
    from ...replay import FailureGroup, HistoryOutcome, Sample
    from .live import LiveView

SUITE = "devserver replay"
NONDETERMINISTIC = "(non-deterministic, TMPRL1100)"
MOST_NAMED = 10
INDENT = "  "
REDRAW_SECONDS = 0.1
ADVICE = (
    "keep the old path for running workflows: guard the change with workflow.patched(), or leave them on their build "
    "(devserver deployment)"
)


def sampled(status: str, sample: Sample) -> str:
    """How the workflows of one status were chosen."""
    count = len(sample.candidates)
    if count == sample.total:
        return f"{status}: all {count:,}"
    of = f" of the last {sample.looked_at:,}" if sample.looked_at < sample.total else ""
    return f"{status}: {count:,} of {sample.total:,}, a sample of {sample.shapes:,} shapes{of}"


def report(
    spec: str,
    outcomes: Sequence[HistoryOutcome],
    groups: Sequence[FailureGroup],
    notes: Sequence[str],
    again: Sequence[str],
) -> Iterator[str]:
    """The lines of the report; `again` is the command that `--debug` is added to."""
    counts = Counter(outcome.outcome for outcome in outcomes)
    bad = sum(outcome.bad for outcome in outcomes)
    done = len(outcomes) - counts[Outcome.GONE]
    verdict = _verdict(counts[Outcome.REPLAYS], bad)
    colour = {"fg": "red", "bold": True} if bad else {"fg": "green"}
    head, *rest = wrapped(f"replayed {_histories(done)} against {spec}: {verdict}", hanging=INDENT)
    yield head.replace(verdict, click.style(verdict, **colour))
    yield from rest
    for note in notes:
        yield from wrapped(note, INDENT, INDENT)
    if counts[Outcome.GONE]:
        yield from wrapped(f"{_histories(counts[Outcome.GONE])} deleted meanwhile", INDENT, INDENT)
    for group in groups:
        yield ""
        yield from _group(group, again)
    if any(group.example.outcome is Outcome.DIVERGES for group in groups):
        yield ""
        yield from wrapped(f"hint: {ADVICE}", hanging=INDENT)


def _verdict(good: int, bad: int) -> str:
    if not bad:
        return "it replays" if good == 1 else "all replay"
    return f"{good:,} {_verb(good)}, {bad:,} {'does' if bad == 1 else 'do'} not"


def _verb(count: int) -> str:
    return "replays" if count == 1 else "replay"


def _histories(count: int) -> str:
    return f"{count:,} {'history' if count == 1 else 'histories'}"


def _group(group: FailureGroup, again: Sequence[str]) -> Iterator[str]:
    example = group.example
    failure = example.failure
    count = len(group.outcomes)
    name = clean(group.workflow_type) or "unknown type"
    yield click.style(f"{name}: {_histories(count)} {_problem(example.outcome, count)}", fg="red", bold=True)
    if failure is None:
        return
    suffix = f" {NONDETERMINISTIC}" if example.outcome is Outcome.DIVERGES else ""
    yield from wrapped(f"{failure.reason}{suffix}", INDENT, INDENT)
    if failure.event:
        yield from wrapped(f"nearest event: {failure.event_id}, {failure.event}", INDENT, INDENT)
    for line in failure.where:
        yield INDENT + clean(line)
    yield from wrapped(f"in {_names(group)}", INDENT, INDENT)
    if example.outcome is Outcome.DIVERGES:
        yield f"{INDENT}debug it: {shlex.join([*again, '--debug', example.candidate.workflow_id])}"


def _problem(outcome: Outcome, count: int) -> str:
    if outcome is Outcome.NO_CODE:
        return "without code"
    return f"{'does' if count == 1 else 'do'} not replay" if outcome is Outcome.DIVERGES else "cannot be replayed"


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


def as_json(
    spec: str, outcomes: Sequence[HistoryOutcome], groups: Sequence[FailureGroup], notes: Sequence[str]
) -> dict[str, Any]:
    """The report as JSON (docs/json.md)."""
    counts = Counter(outcome.outcome.name.lower() for outcome in outcomes)
    return form(
        module=spec,
        passed=not groups,
        counts={outcome.name.lower(): counts[outcome.name.lower()] for outcome in Outcome},
        sampled=list(notes),
        failures=[_group_json(group) for group in groups],
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
    """How far the replay is: one line on stderr, redrawn in place; on a terminal only."""

    def __init__(self) -> None:
        self._wanted = redraws(sys.stderr) and not os.environ.get("CI")
        self._view: LiveView | None = None
        self._next = 0.0
        self._total = self._done = self._bad = 0

    def begin(self, total: int) -> None:
        """Begin with this number of histories."""
        self._total = total

    def advance(self, outcome: HistoryOutcome) -> None:
        """One more is done."""
        import time

        from .live import LiveView

        self._done += 1
        self._bad += outcome.bad
        now = time.monotonic()
        if not self._wanted or now < self._next:
            return
        self._next = now + REDRAW_SECONDS
        if self._view is None:
            self._view = LiveView(err=True, transient=True)
            self._view.__enter__()
        self._view.show([f"replaying: {self._done:,} of {self._total:,} histories, {self._bad:,} fail"])

    def end(self) -> None:
        """Erase the line."""
        if self._view is not None:
            self._view.stop()
            self._view = None
