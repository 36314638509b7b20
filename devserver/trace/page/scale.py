"""The axis of a trace's page: places of times in percent, and round marks."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from ...history.run_chain import RunChain
from ...system.axis import axis_marks, track_background


@dataclass(frozen=True)
class PageScale:
    """The time that the page shows: from the first run's start to the newest run's close, or to now."""

    start: datetime
    end: datetime

    @property
    def seconds(self) -> float:
        """Its length."""
        return max(0.0, (self.end - self.start).total_seconds())

    def share(self, when: datetime | None) -> float:
        """The position of a time, from 0 at the start to 100 at the end; None is the end."""
        passed = ((when or self.end) - self.start).total_seconds()
        return 0.0 if self.seconds <= 0 else round(min(100.0, max(0.0, 100 * passed / self.seconds)), 4)

    def marks(self) -> list[tuple[float, str]]:
        """Round marks: places in percent, and labels."""
        whole = self.seconds or 1.0
        return [(round(100 * at / whole, 3), label) for at, label in axis_marks(self.seconds)]

    def grid(self) -> str:
        """The CSS background of a track: a line at each mark."""
        return track_background(axis_marks(self.seconds), self.seconds)


def scale_of(chain: RunChain, now: datetime) -> PageScale:
    """The time from the first known run to the newest run's close."""
    starts = [link.started for link in chain.runs if link.started is not None]
    start = min(starts, default=now)
    return PageScale(start, max(chain.newest.closed or now + chain.newest.ahead, start))
