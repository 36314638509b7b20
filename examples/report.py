"""A report that is too large for a history: `devserver run` stores it in a folder.

devserver run examples/report.py
devserver workflow start examples/report.py:Report --lines 100000 --wait
"""

from __future__ import annotations

from datetime import timedelta

from temporalio import activity, workflow

LIMIT = timedelta(seconds=30)


@activity.defn
async def collect(lines: int) -> list[str]:
    """All lines of the report."""
    return [f"line {number} of the report" for number in range(lines)]


@activity.defn
async def count(report: list[str]) -> int:
    """Number of characters in the report."""
    return sum(len(line) for line in report)


@workflow.defn
class Report:
    """Collects a report and counts it."""

    @workflow.run
    async def run(self, lines: int = 1000) -> int:
        """Pass the report from one activity to the other."""
        report = await workflow.execute_activity(collect, lines, start_to_close_timeout=LIMIT)
        return await workflow.execute_activity(count, report, start_to_close_timeout=LIMIT)
