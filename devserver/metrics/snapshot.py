"""What has happened between two looks at an endpoint, also when it was started anew in between."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TypeVar

from .latency import Latency, Match, latency
from .model import EventCount
from .parser import PARTS, Labels, ParsedMetrics, Series


@dataclass(frozen=True)
class RateChange:
    """What was counted between two looks.

    Args:
        seconds: How long that was.
        counted: Counters and histograms: how much they grew. Gauges: their value now.
        restarted: It is another process, or a counter had become less: all of them began anew, and `counted` is what
            was counted since then.
    """

    seconds: float
    counted: ParsedMetrics
    restarted: bool


def change_between(before: ParsedMetrics, now: ParsedMetrics, seconds: float, *, anew: bool = False) -> RateChange:
    """How `now` differs from `before`, which was `seconds` earlier; `anew`: it is known to be another process."""
    if anew or any(_is_less(now.series.get(name, {}), series) for name, series in _counting(before)):
        return RateChange(seconds, now, True)
    counted = dict(now.series)
    for name, series in _counting(now):
        old = before.series.get(name, {})
        counted[name] = {labels: value - old.get(labels, 0.0) for labels, value in series.items()}
    return RateChange(seconds, ParsedMetrics(now.spellings, counted), False)


def _is_less(now: Series, before: Series) -> bool:
    return any(now.get(labels, -1.0) < value for labels, value in before.items())


def _counting(metrics: ParsedMetrics) -> Iterator[tuple[str, Series]]:
    """The series that only ever grow."""
    for name, spelling in metrics.spellings.items():
        parts = PARTS if spelling.kind == "histogram" else ("",) if spelling.kind == "counter" else ()
        for part in parts:
            if name + part in metrics.series:
                yield name + part, metrics.series[name + part]


K = TypeVar("K", bound=Hashable)


@dataclass(frozen=True)
class MetricsSnapshot:
    """A look at an endpoint, and what has changed since the one before (None at the first)."""

    now: ParsedMetrics
    change: RateChange | None

    def count(self, name: str, match: Match = lambda _: True) -> EventCount:
        """Of a counter's series whose labels `match`."""
        total = _sum(self.now, name, match)
        if self.change is None:
            return EventCount(round(total), None)
        return EventCount(round(total), _sum(self.change.counted, name, match) / self.change.seconds)

    def by(self, name: str, label: str, match: Match = lambda _: True) -> dict[str, EventCount]:
        """The same for each value of a label."""
        values = {labels.get(label, "") for labels, _ in self.now.all(name) if match(labels)}
        return {value: self.count(name, _also(match, label, value)) for value in sorted(values)}

    def parted(self, key: Callable[[Mapping[str, str]], K]) -> dict[K, MetricsSnapshot]:
        """A look for each key that series have, at those series only: an endpoint may have very many of them."""
        now = _parted(self.now, key)
        if self.change is None:
            return {each: MetricsSnapshot(part, None) for each, part in now.items()}
        nothing = ParsedMetrics(self.now.spellings, {})
        counted = _parted(self.change.counted, key)
        return {
            each: MetricsSnapshot(part, replace(self.change, counted=counted.get(each, nothing)))
            for each, part in now.items()
        }

    def latency(self, name: str, match: Match = lambda _: True) -> Latency | None:
        """Of a histogram's series whose labels `match`: of the time since the look before, or of all time."""
        return latency(self.change.counted if self.change else self.now, name, match)

    def gauge(self, name: str, match: Match = lambda _: True, take: Callable[..., float] = sum) -> int | None:
        """The sum (or what else to `take`) of a gauge's series whose labels `match`; None where there is none."""
        values = [value for labels, value in self.now.all(name) if match(labels)]
        return round(take(values)) if values else None


def _parted(metrics: ParsedMetrics, key: Callable[[Mapping[str, str]], K]) -> dict[K, ParsedMetrics]:
    found: dict[K, dict[str, dict[Labels, float]]] = {}
    for name, series in metrics.series.items():
        for labels, value in series.items():
            found.setdefault(key(dict(labels)), {}).setdefault(name, {})[labels] = value
    return {each: ParsedMetrics(metrics.spellings, series) for each, series in found.items()}


def _sum(metrics: ParsedMetrics, name: str, match: Match) -> float:
    return sum(value for labels, value in metrics.all(name) if match(labels))


def _also(match: Match, label: str, value: str) -> Match:
    return lambda labels: labels.get(label, "") == value and match(labels)
