"""A policy's runs drawn over time, a line for each start, in as many columns as there are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta, tzinfo
from typing import TYPE_CHECKING

from ...system.timefmt import age

if TYPE_CHECKING:
    from ...schedules import OverlapOutcome, ScheduledStart

LEAST_COLUMNS, MOST_COLUMNS = 8, 72
LEGEND = "|==] a run, |==x cancelled or terminated, .... waits, - none"
ENDS = {"completed": "]", "canceled": "x", "terminated": "x"}


class Chart:
    """All policies on the same scale: from the first time to the end of the last run of any of them."""

    def __init__(self, outcomes: Sequence[OverlapOutcome], width: int) -> None:
        starts = [start for outcome in outcomes for start in outcome.starts]
        self._first = min(start.due for start in starts)
        self._span = max(start.ended or start.due for start in starts) - self._first or timedelta(seconds=1)
        self._digits = len(str(max(start.number for start in starts)))
        words = max(len(fate(start)) for start in starts)
        self._columns = max(LEAST_COLUMNS, min(MOST_COLUMNS, width - self._digits - words - 5))

    def lines(self, outcome: OverlapOutcome) -> Iterator[str]:
        """A line for each start: its number, its run, and what happened to it."""
        for start in outcome.starts:
            drawn = "".join(self._drawn(start)).ljust(self._columns)
            yield f"  {start.number:>{self._digits}} {drawn} {fate(start)}"

    def axis(self, zone: tzinfo | None) -> str:
        """The start and the end of the chart."""
        left, right = (clock(moment, zone, self._span) for moment in (self._first, self._first + self._span))
        gap = self._columns - len(left) - len(right)
        return " " * (self._digits + 3) + left + (" " * gap + right if gap > 0 else f" to {right}")

    def _drawn(self, start: ScheduledStart) -> list[str]:
        cells = [" "] * self._columns
        due = self._column(start.due)
        if start.started is None or start.ended is None:
            cells[due] = "." if start.result == "waiting" else "-"
            return cells
        began, ended = self._column(start.started), self._column(start.ended)
        cells[due:began] = "." * (began - due)
        cells[began:ended] = "=" * (ended - began)
        cells[ended] = ENDS[start.result]
        if ended > began:
            cells[began] = "|"
        return cells

    def _column(self, moment: datetime) -> int:
        return round((moment - self._first) / self._span * (self._columns - 1))


def fate(start: ScheduledStart) -> str:
    """What happened to a start, in a few words."""
    if start.result != "completed":
        return start.result
    return f"waits {age(start.waited)}" if start.waited else "on time"


def clock(moment: datetime, zone: tzinfo | None, span: timedelta) -> str:
    """A time of a chart, with the precision that its span needs."""
    local = moment.astimezone(zone)
    if span >= timedelta(days=2):
        return local.strftime("%m-%d %H:%M")
    return local.strftime("%H:%M:%S" if span < timedelta(minutes=30) else "%H:%M")
