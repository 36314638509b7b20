"""What has happened between two looks at an endpoint, also when it was started anew in between."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from .families import PARTS, Metrics, Series


@dataclass(frozen=True)
class Change:
    """What was counted between two looks.

    Args:
        seconds: How long that was.
        counted: Counters and histograms: how much they grew. Gauges: their value now.
        restarted: It is another process, or a counter had become less: all of them began anew, and `counted` is what
            was counted since then.
    """

    seconds: float
    counted: Metrics
    restarted: bool


def change(before: Metrics, now: Metrics, seconds: float, *, anew: bool = False) -> Change:
    """How `now` differs from `before`, which was `seconds` earlier; `anew`: it is known to be another process."""
    if anew or any(_is_less(now.series.get(name, {}), series) for name, series in _counting(before)):
        return Change(seconds, now, True)
    counted = dict(now.series)
    for name, series in _counting(now):
        old = before.series.get(name, {})
        counted[name] = {labels: value - old.get(labels, 0.0) for labels, value in series.items()}
    return Change(seconds, Metrics(now.spellings, counted), False)


def _is_less(now: Series, before: Series) -> bool:
    return any(now.get(labels, -1.0) < value for labels, value in before.items())


def _counting(metrics: Metrics) -> Iterator[tuple[str, Series]]:
    """The series that only ever grow."""
    for name, spelling in metrics.spellings.items():
        parts = PARTS if spelling.kind == "histogram" else ("",) if spelling.kind == "counter" else ()
        for part in parts:
            if name + part in metrics.series:
                yield name + part, metrics.series[name + part]
