"""A comparison of two reports as a page, as lines of text, and as figures in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ...system.html_page import page_file
from .compare import TIMINGS
from .fragments import style, templates
from .text import VERDICTS, seconds

CHANGES = {
    "worse": "Worse",
    "gone": "Gone",
    "better": "Better",
    "same": "Same",
    "new": "New",
    "slower": "Slower",
    "faster": "Faster",
}


def write_comparison(comparison: Mapping[str, Any], file: Path) -> None:
    """Write the page, whole or not at all.

    Raises:
        PageNotWritten: The file cannot be written.
    """
    environment = templates()
    environment.filters["figure"] = figure
    page = environment.get_template("compare.html").render(comparison=comparison, style=style(), changes=CHANGES)
    with page_file(file) as out:
        out.write(page)


def figure(item: Mapping[str, Any], which: str) -> str:
    """A figure of a comparison: `1.20 s`, `3`; `a` and `b`, or the `difference` with its sign."""
    value = item[which]
    if value is None:
        return "\N{EN DASH}"
    if item["key"] in TIMINGS:
        value = round(value, 2)
    sign = "+" if which == "difference" and value > 0 else ""
    return sign + (seconds(value) if item["key"] in TIMINGS else f"{value:,g}")


def changed(scenario: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What changed in a scenario: the change, and a line that names it."""
    for item in scenario["expectations"]:
        if item["change"] != "same":
            verdicts = " to ".join(VERDICTS[item[which]].lower() if item[which] else "none" for which in ("a", "b"))
            evidence = f": {item['evidence']}" if item["change"] == "worse" and item["evidence"] else ""
            yield item["change"], f"{item['name']}, {verdicts}{evidence}"
    for item in scenario["figures"]:
        if item["change"] != "same":
            yield item["change"], f"{item['name']}: {figure(item, 'a')} to {figure(item, 'b')}"
