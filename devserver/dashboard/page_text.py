"""The templates of the dashboard, with what they need to show numbers and times."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from typing import Any

from ..config.sizes import format_size
from ..rehearsal.report.text import seconds
from ..system.printable import counted
from ..system.timefmt import age
from ..system.web_ui import workflow_url
from ..webpages import PageTemplates

WIDTH, HEIGHT = 240, 36  # of a curve, in units of its own


def ago(moment: datetime | str | None) -> str:
    """How long ago something was, such as `12 min ago`; a dash for None. It changes rarely, and so does the page."""
    if moment is None:
        return "\N{EN DASH}"
    if isinstance(moment, str):
        moment = datetime.fromisoformat(moment.replace("Z", "+00:00"))
    seconds = (datetime.now(timezone.utc) - moment).total_seconds()
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= length:
            return f"{seconds // length:.0f} {unit} ago"
    return "just now"


def rough_size(size: int) -> str:
    """A size in whole megabytes."""
    return f"{size / 1e6:.0f} MB"


def rate(per_second: float | None) -> str:
    """A rate, such as `12.3/s` or `4/min`."""
    if per_second is None:
        return "\N{EN DASH}"
    if per_second == 0:
        return "0/s"
    return f"{per_second:.1f}/s" if per_second >= 0.5 else f"{60 * per_second:.1f}/min"


def curve(values: Sequence[float | None], top: float | None = None) -> str:
    """The points of a curve for SVG; gaps are closed."""
    known = [value for value in values if value is not None]
    highest = max([*known, top or 0.0, 1e-9])
    step = WIDTH / max(len(values) - 1, 1)
    return " ".join(
        f"{number * step:.1f},{HEIGHT - 2 - (HEIGHT - 4) * value / highest:.1f}"
        for number, value in enumerate(values)
        if value is not None
    )


FILTERS: dict[str, Any] = {
    "ago": ago,
    "age": lambda value: age(timedelta(seconds=value)),
    "size": format_size,
    "rough_size": rough_size,
    "rate": rate,
    "curve": curve,
    "counted": counted,
    "span": seconds,
    "workflow_url": workflow_url,
}
TEMPLATES = PageTemplates("devserver.dashboard", **FILTERS)
