"""Summaries in Markdown for the page of a CI job: `--summary "$GITHUB_STEP_SUMMARY"`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...rehearsal.report import ReportNotWritten
from ...system.markdown import MarkdownSummary

if TYPE_CHECKING:
    from ...replay.report import ReplayReport

CHANGE_SIGNS = {"worse": "❌", "gone": "❌", "better": "✅"}
SIGNS = {"pass": "✅", "fail": "❌", "unknown": "⚠️"}


def of_rehearsals(report: Mapping[str, Any], seconds: Sequence[float]) -> MarkdownSummary:
    """The verdicts of rehearsals, a row for each; below, how to run again what did not pass."""
    counts = report["counts"]
    summary = MarkdownSummary(
        f"Rehearsals: {counts['pass']} passed, {counts['fail']} failed, {counts['unknown']} unknown"
    )
    rows = [
        (
            SIGNS[result["verdict"]],
            result["name"],
            f"{took:.1f}",
            _outages(result),
            "" if result["verdict"] == "pass" else result["reason"],
        )
        for result, took in zip(report["results"], seconds, strict=True)
    ]
    summary.table(("", "rehearsal", "seconds", "outages", "why"), rows)
    if report["incomplete"]:
        summary.paragraph(f"{report['incomplete']}; not run: {', '.join(report['not_run']) or 'none'}")
    for result in report["results"]:
        if result["verdict"] != "pass":
            summary.paragraph("Run it again:", result["command"])
    return summary


def _outages(result: Mapping[str, Any]) -> str:
    """The measured outages of a rehearsal in a few words."""
    from ...rehearsal.report.outage_texts import outage_note

    notes = [f"{item['lane']} {outage_note(item, result['timeline']['end'])}" for item in result["outages"]]
    return "; ".join([*notes[:3], *([f"{len(notes) - 3} more"] if len(notes) > 3 else [])])


def of_comparison(comparison: Mapping[str, Any]) -> MarkdownSummary:
    """What changed between two reports, a row for each change."""
    from ...rehearsal.report.comparison_page import changed

    counts = ", ".join(f"{count} {change}" for change, count in comparison["counts"].items() if count)
    summary = MarkdownSummary(f"Rehearsals compared: {comparison['verdict']} ({counts})")
    rows = []
    for scenario in comparison["scenarios"]:
        lines = list(changed(scenario))
        rows += [(CHANGE_SIGNS.get(what, ""), scenario["name"], what, text) for what, text in lines]
        if not lines and scenario["change"] != "same":
            rows.append((CHANGE_SIGNS.get(scenario["change"], ""), scenario["name"], scenario["change"], ""))
    summary.table(("", "rehearsal", "change", "what"), rows)
    return summary


def of_replay(report: ReplayReport) -> MarkdownSummary:
    """The groups of histories that do not replay, a row for each."""
    from ...replay.report import histories, problem, reason

    summary = MarkdownSummary(f"Replay of {report.spec}: {report.verdict}")
    rows = []
    for group in report.groups:
        failure = group.example.failure
        where = failure.where[0] if failure and failure.where else ""
        count = f"{histories(len(group.outcomes))} {problem(group)}"
        rows.append((group.workflow_type or "unknown type", count, reason(group), where))
    summary.table(("workflow type", "histories", "why", "where"), rows)
    return summary


def write(summary: MarkdownSummary, file: Path) -> None:
    """Append a summary to a file.

    Raises:
        ReportNotWritten: The file cannot be written.
    """
    try:
        summary.append_to(file)
    except OSError as error:
        raise ReportNotWritten(
            f"the summary {file} cannot be written: {error.strerror}", hint="name another file with --summary"
        ) from error
