"""The report of a replay as an HTML page: one file without a script."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ..system.html_page import page_file, page_templates
from .outcomes import FailureGroup, HistoryOutcome, Outcome
from .report import ReplayReport, histories, problem, reason

MOST_LISTED = 500
FIRST_LISTED = 10
MOST_GROUPS = 100


@dataclass(frozen=True)
class _Section:
    """One way to fail, as the page shows it."""

    group: FailureGroup
    title: str
    reason: str
    debug: str

    @property
    def first(self) -> list[HistoryOutcome]:
        """Histories that are always visible, the example first."""
        return self._listed[:FIRST_LISTED]

    @property
    def others(self) -> list[HistoryOutcome]:
        """Histories that are shown on a click."""
        return self._listed[FIRST_LISTED:]

    @property
    def left_out(self) -> int:
        """The number of histories that are not on the page."""
        return max(0, len(self.group.outcomes) - MOST_LISTED)

    @property
    def _listed(self) -> list[HistoryOutcome]:
        example = self.group.example
        others = [outcome for outcome in self.group.outcomes if outcome is not example]
        return [example, *others[: MOST_LISTED - 1]]


def write_page(report: ReplayReport, file: Path) -> None:
    """Write the report into `file`, whole or not at all.

    Raises:
        PageNotWritten: The file cannot be written.
    """
    template = page_templates("devserver.replay").get_template("page.html")
    sections = list(_sections(report))
    with page_file(file) as out:
        for text in template.generate(report=report, sections=sections, left_out=len(report.groups) - len(sections)):
            out.write(text)


def _sections(report: ReplayReport) -> Iterator[_Section]:
    for group in report.groups[:MOST_GROUPS]:
        example = group.example
        title = f"{histories(len(group.outcomes))} {problem(group)}"
        diverges = example.outcome is Outcome.DIVERGES
        debug = shlex.join([*report.again, "--debug", example.candidate.workflow_id]) if diverges else ""
        yield _Section(group, title, reason(group), debug)
