"""Parts of a report's page as HTML, from plain data. They also take runs that have not ended: see `timeline.drawn`."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from ...system.html_page import page_templates
from ...system.printable import counted
from . import text
from .outage_texts import explained, how_ended
from .timeline import drawn
from .timeline_shapes import TimelinePicture

if TYPE_CHECKING:
    from jinja2 import Environment

TRACE = re.compile(r"traces/\d+\.html")
STYLES = ("shared/base.css", "shared/timeline.css", "style.css")


@cache
def templates() -> Environment:
    """The templates of the report."""
    environment = page_templates("devserver.rehearsal.report")
    environment.filters.update(
        seconds=text.seconds,
        moment=text.moment,
        counted=counted,
        effect=text.effect_name,
        point=text.point,
        plain=_plain,
        day=text.day,
        explained=explained,
        how_ended=how_ended,
        slug=lambda name: re.sub(r"[^a-z0-9]+", "-", name.lower()),
    )
    environment.globals.update(words=text.VERDICTS, signs=text.SIGNS)
    return environment


def style() -> str:
    """The style sheet of the parts."""
    environment = templates()
    return "\n".join(environment.get_template(name).render() for name in STYLES)


def timeline_html(run: Mapping[str, Any], name: str, anchor: str = "r1") -> str:
    """The timeline of a run with its table of events; empty if nothing ran yet.

    Args:
        run: A result of a report, or what `run_data` makes; its `verdict` is None while it runs.
        name: What a screen reader calls it.
        anchor: Begins the ids of its elements; unique on the page.
    """
    picture = drawn(run)
    return (
        ""
        if picture is None
        else templates().get_template("timeline.html").render(picture=picture, name=name, anchor=anchor)
    )


def result_html(result: Mapping[str, Any], number: int = 1, *, heading: bool = False) -> str:
    """The section of a result, as on the report's page.

    Args:
        number: Begins the ids of its elements, as `r1`; unique on the page.
        heading: Whether its summary stands below its name, as among several results.
    """
    return (
        templates()
        .get_template("result.html")
        .render(
            result=result,
            number=number,
            picture=drawn(result),
            points=points_of(result),
            links=links_of(result, number),
            several=heading,
        )
    )


def points_of(result: Mapping[str, Any]) -> list[tuple[str, TimelinePicture | None]]:
    """The pictures of the points of a sweep that did not pass, if the report contains their runs."""
    points: Sequence[Mapping[str, Any]] = result["sweep"]["points"] if result["sweep"] else ()
    return [(text.point(point), drawn(point["run"])) for point in points if point["run"] is not None]


def links_of(result: Mapping[str, Any], number: int) -> list[tuple[str, str]]:
    """Where a reader can go from a result: texts and targets."""
    links = []
    if TRACE.fullmatch(str(result.get("trace"))):  # a report.json may come from anybody
        links.append(("Trace of the workflow", result["trace"]))
    if result.get("code"):
        links.append(("Plan as code", f"#r{number}-code"))
    return links


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
