"""A scrape of an endpoint together with what changed since the one before, for rates and recent latencies."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TypeVar

from .latency import Latency, Match, latency
from .model import EventCount
from .parser import PARTS, Labels, ParsedMetrics, Series

K = TypeVar("K", bound=Hashable)


@dataclass(frozen=True)
class RateChange:
    """What was counted between two scrapes.

    Args:
        seconds: The time between them.
        counted: For counters and histograms their increase, for gauges their present value.
        restarted: The process was restarted, or a counter was reset: `counted` is everything since then.
    """

    seconds: float
    counted: ParsedMetrics
    restarted: bool


def change_between(before: ParsedMetrics, now: ParsedMetrics, seconds: float, *, restarted: bool = False) -> RateChange:
    """The change from `before` to `now`, `seconds` later; `restarted` if another process answers now."""
    if restarted or any(_is_less(now.series.get(name, {}), series) for name, series in _increasing(before)):
        return RateChange(seconds, now, True)
    counted = dict(now.series)
    for name, series in _increasing(now):
        old = before.series.get(name, {})
        counted[name] = {labels: value - old.get(labels, 0.0) for labels, value in series.items()}
    return RateChange(seconds, ParsedMetrics(now.spellings, counted), False)


def _is_less(now: Series, before: Series) -> bool:
    return any(now.get(labels, -1.0) < value for labels, value in before.items())


def _increasing(metrics: ParsedMetrics) -> Iterator[tuple[str, Series]]:
    """The series that only increase: counters and histograms."""
    for name, spelling in metrics.spellings.items():
        parts = PARTS if spelling.kind == "histogram" else ("",) if spelling.kind == "counter" else ()
        for part in parts:
            if name + part in metrics.series:
                yield name + part, metrics.series[name + part]


@dataclass(frozen=True)
class MetricsSnapshot:
    """A scrape, and the change since the one before (None for the first).

    Methods take the name of a metric and `match`, which selects its series by their labels.
    """

    now: ParsedMetrics
    change: RateChange | None

    def count(self, name: str, match: Match = lambda _: True) -> EventCount:
        """The total and the rate of a counter."""
        total = _sum(self.now, name, match)
        if self.change is None:
            return EventCount(round(total), None)
        return EventCount(round(total), _sum(self.change.counted, name, match) / self.change.seconds)

    def count_by(self, name: str, label: str, match: Match = lambda _: True) -> dict[str, EventCount]:
        """The total and the rate of a counter for each value of a label."""
        values = {labels.get(label, "") for labels, _ in self.now.all(name) if match(labels)}
        return {value: self.count(name, _with_label(match, label, value)) for value in sorted(values)}

    def split(self, key: Callable[[Mapping[str, str]], K]) -> dict[K, MetricsSnapshot]:
        """A snapshot for each key of the series' labels, with the series of that key only.

        Searching these is fast, even for an endpoint with very many series.
        """
        now = _split(self.now, key)
        if self.change is None:
            return {value: MetricsSnapshot(part, None) for value, part in now.items()}
        nothing = ParsedMetrics(self.now.spellings, {})
        counted = _split(self.change.counted, key)
        return {
            value: MetricsSnapshot(part, replace(self.change, counted=counted.get(value, nothing)))
            for value, part in now.items()
        }

    def latency(self, name: str, match: Match = lambda _: True) -> Latency | None:
        """The latency of a histogram since the scrape before; for the first scrape since the process began."""
        return latency(self.change.counted if self.change else self.now, name, match)

    def gauge(self, name: str, match: Match = lambda _: True, combine: Callable[..., float] = sum) -> int | None:
        """The sum (or another combination) of a gauge's series; None without any."""
        values = [value for labels, value in self.now.all(name) if match(labels)]
        return round(combine(values)) if values else None


def _split(metrics: ParsedMetrics, key: Callable[[Mapping[str, str]], K]) -> dict[K, ParsedMetrics]:
    parts: dict[K, dict[str, dict[Labels, float]]] = {}
    for name, series in metrics.series.items():
        for labels, value in series.items():
            parts.setdefault(key(dict(labels)), {}).setdefault(name, {})[labels] = value
    return {value: ParsedMetrics(metrics.spellings, series) for value, series in parts.items()}


def _sum(metrics: ParsedMetrics, name: str, match: Match) -> float:
    return sum(value for labels, value in metrics.all(name) if match(labels))


def _with_label(match: Match, label: str, value: str) -> Match:
    return lambda labels: labels.get(label, "") == value and match(labels)
