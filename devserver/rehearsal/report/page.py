"""The report as a page: one HTML file with its style and pictures."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from ...system.printable import counted
from ..scenario.result import Result
from . import text
from .data import WORST, ReportStatus, data
from .timeline import drawn
from .timeline_shapes import TimelinePicture

MOST_SHOWN = 30


def html(results: Sequence[Result], about: ReportStatus | None = None) -> str:
    """The report of these results as one page without scripts and external resources."""
    return render(data(results, about))


def render(shape: Mapping[str, Any], figures: Sequence[tuple[str, str]] = ()) -> str:
    """Render a report's data as a page. `figures` are those of the debrief of a game day."""
    from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

    environment = Environment(
        loader=PackageLoader("devserver.rehearsal.report", "templates"),
        autoescape=select_autoescape(enabled_extensions=("html", "svg"), default=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        seconds=text.seconds,
        moment=text.moment,
        counted=counted,
        effect=text.effect_name,
        point=text.point,
        plain=_plain,
    )
    shown = _shown(shape["results"])
    pictures = {number: drawn(shape["results"][number]) for number in shown}
    points = {number: _points(shape["results"][number]) for number in shown}
    page = environment.get_template("report.html")
    return page.render(
        report=shape, shown=shown, pictures=pictures, points=points, words=text.VERDICTS, figures=figures
    )


def _shown(results: Sequence[Mapping[str, Any]]) -> list[int]:
    """The results that are shown in full: all, or the worst if there are many."""
    by_worth = sorted(range(len(results)), key=lambda number: -WORST[results[number]["verdict"]])
    return sorted(by_worth[:MOST_SHOWN])


def _points(result: Mapping[str, Any]) -> list[tuple[str, TimelinePicture | None]]:
    """The pictures of the points that did not pass, if the report contains their runs."""
    points = result["sweep"]["points"] if result["sweep"] else ()
    return [(text.point(point), drawn(point["run"])) for point in points if point["run"] is not None]


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
