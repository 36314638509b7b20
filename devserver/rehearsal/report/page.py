"""The report as a page: one HTML file with its style, its pictures, and a script that only copies commands."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from ..scenario.result import Result
from .data import ReportStatus, data
from .fragments import result_html, style, templates
from .text import SEVERITY

MOST_SHOWN = 30


def html(results: Sequence[Result], about: ReportStatus | None = None) -> str:
    """The report of these results as one page without external resources."""
    return render(data(results, about))


def render(shape: Mapping[str, Any]) -> str:
    """Render a report's data as a page."""
    results = shape["results"]
    shown = _shown(results)
    sections = {number: result_html(results[number], number + 1, heading=len(results) > 1) for number in shown}
    return (
        templates()
        .get_template("report.html")
        .render(report=shape, shown=shown, sections=sections, style=style(), **page_script())
    )


def page_script() -> dict[str, str]:
    """The script of a page that copies commands, and its hash for the security policy."""
    script, *_ = templates().loader.get_source(templates(), "copy.js")  # type: ignore[union-attr]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return {"script": script, "script_hash": digest}


def _shown(results: Sequence[Mapping[str, Any]]) -> list[int]:
    """The results that are shown in full: all, or the worst if there are many."""
    by_worth = sorted(range(len(results)), key=lambda number: -SEVERITY[results[number]["verdict"]])
    return sorted(by_worth[:MOST_SHOWN])
