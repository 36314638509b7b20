"""The debrief as a page: one HTML file, with the run as in the report of a rehearsal."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from ...system.html_page import page_templates
from ..report import text
from ..report.fragments import result_html, style
from ..report.page import page_script
from .markdown import figures

if TYPE_CHECKING:
    from jinja2 import Environment

ROWS = {"command": "person", "person": "person", "incident": "incident"}


def debrief_html(shape: Mapping[str, Any]) -> str:
    """The page of a debrief."""
    gameday = shape["gameday"]
    return (
        _templates()
        .get_template("debrief.html")
        .render(
            report=shape,
            gameday=gameday,
            figures=figures(gameday["times"]),
            rows=ROWS,
            run=result_html(shape["results"][0]),
            style=f"{style()}\n{_templates().get_template('debrief.css').render()}",
            **page_script(),
        )
    )


@cache
def _templates() -> Environment:
    environment = page_templates("devserver.rehearsal.gameday")
    environment.filters.update(seconds=text.seconds, moment=text.moment)
    return environment
