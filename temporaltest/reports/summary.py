"""The summary of a run in Markdown, for the page of a CI job: the counts, and each failed test with its report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from devserver import MarkdownSummary

from .files import test_id

if TYPE_CHECKING:
    import pytest

SHOWN = ("failed", "error", "passed", "skipped", "xfailed", "xpassed")
MOST_DETAILS = 20


def of_run(stats: Mapping[str, Sequence[Any]]) -> MarkdownSummary:
    """The summary of the reports by outcome, as pytest's terminal reporter has them."""
    counts = [f"{len(stats[outcome])} {outcome}" for outcome in SHOWN if stats.get(outcome)]
    summary = MarkdownSummary(f"Tests: {', '.join(counts) or 'none ran'}")
    bad: list[pytest.TestReport] = [*stats.get("failed", ()), *stats.get("error", ())]
    summary.table(("test", "why"), [(test_id(report.nodeid), _why(report)) for report in bad])
    for report in bad[:MOST_DETAILS]:
        summary.details(test_id(report.nodeid), report.longreprtext)
    return summary


def _why(report: pytest.TestReport) -> str:
    """The first line of the failure, as the short summary shows it."""
    crash = getattr(report.longrepr, "reprcrash", None)
    text = report.longreprtext if crash is None else crash.message
    return next((line for line in text.splitlines() if line.strip()), "")
