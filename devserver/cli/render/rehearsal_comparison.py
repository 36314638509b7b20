"""Comparisons and indexes of rehearsal reports as lines for a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import click

from .rehearsal import VERDICT_COLOURS, line_width
from .table import table_lines
from .terminal import clean, wrapped

HUES = {"worse": "red", "gone": "red", "better": "green", "new": "cyan"}
MOST_LINES = 20  # of one scenario


def comparison_lines(comparison: Mapping[str, Any]) -> Iterator[str]:
    """Each scenario with what changed in it, then the verdict."""
    from ...rehearsal.report.comparison_page import changed
    from ...rehearsal.report.text import VERDICTS

    for scenario in comparison["scenarios"]:
        verdicts = " to ".join(VERDICTS[scenario[which]].lower() if scenario[which] else "none" for which in ("a", "b"))
        change = scenario["change"]
        turn = f", turn {scenario['turn']}" if scenario["turn"] > 1 else ""
        label = click.style(f"{change.upper():<8}", fg=HUES.get(change), bold=True)
        yield f"{label} {clean(scenario['name'])}{turn}  ({verdicts})"
        lines = list(changed(scenario))
        for what, text in lines[:MOST_LINES]:
            first, *others = wrapped(f"{what:<8} {clean(text)}", "  ", " " * 9, width=line_width()) or [""]
            yield first.replace(what, click.style(what, fg=HUES.get(what)), 1)
            yield from others
        if len(lines) > MOST_LINES:
            yield f"  and {len(lines) - MOST_LINES} more changes"
    counts = ", ".join(f"{count} {change}" for change, count in comparison["counts"].items() if count)
    yield f"{comparison['verdict']}: {counts}"


def index_lines(shape: Mapping[str, Any]) -> Iterator[str]:
    """A line for each scenario, then the number of reports."""
    from ...rehearsal.report.text import day

    rows = []
    for scenario in shape["scenarios"]:
        signs = "".join({"pass": ".", "fail": "F", "unknown": "?"}[run["verdict"]] for run in scenario["runs"][-20:])
        rows.append((scenario["verdict"], clean(scenario["name"]), day(scenario["since"]), signs))
    for (verdict, *_), line in zip(rows, table_lines(rows), strict=True):
        yield click.style(verdict, fg=VERDICT_COLOURS[verdict], bold=True) + line.removeprefix(verdict)
    many = len(shape["reports"])
    yield f"{many} report{'' if many == 1 else 's'}" + (
        f", {len(shape['skipped'])} skipped" if shape["skipped"] else ""
    )
