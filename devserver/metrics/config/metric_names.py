"""Metrics by the names in Temporal's docs, written as the endpoints at hand spell them; remembers which were needed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ..parser import MILLISECONDS, SECONDS, MetricSpelling


@dataclass(frozen=True)
class MetricUse:
    """A metric that was needed: its name in docs, as it is written, and whether the endpoint has it now."""

    metric: str
    name: str
    there: bool


class MetricNames:
    """The metrics of one kind of endpoint. What was not recorded yet is spelled as the others of its kind are.

    Args:
        endpoints: How each endpoint spells its metrics; where they differ, the first one's spelling is taken.
    """

    def __init__(self, endpoints: Iterable[Mapping[str, MetricSpelling]]) -> None:
        self._known: dict[str, MetricSpelling] = {}
        self._used: dict[str, MetricUse] = {}
        differing: set[str] = set()
        for spellings in endpoints:
            for metric, spelling in spellings.items():
                first = self._known.setdefault(metric, spelling)
                if (first.name, first.scale) != (spelling.name, spelling.scale):
                    differing.add(metric)
        self.differing = tuple(sorted(differing))

    @property
    def used(self) -> tuple[MetricUse, ...]:
        """What was asked for, by name."""
        return tuple(self._used[metric] for metric in sorted(self._used))

    def gauge(self, metric: str) -> str:
        """A gauge's name."""
        return self._use(metric, "gauge").name

    def counter(self, metric: str) -> str:
        """A counter's name."""
        return self._use(metric, "counter").name

    def histogram(self, metric: str) -> tuple[str, float]:
        """A histogram's name, and what its durations are multiplied with to be seconds."""
        found = self._use(metric, "histogram")
        return found.name, found.scale

    def _use(self, metric: str, kind: str) -> MetricSpelling:
        found = self._known.get(metric)
        spelling = found or self._guess(metric, kind)
        self._used[metric] = MetricUse(metric, spelling.name, found is not None)
        return spelling

    def _guess(self, metric: str, kind: str) -> MetricSpelling:
        """As most others are spelled; durations of an SDK are milliseconds where there is nothing to go by."""
        sdk = metric.startswith("temporal_")
        alike = [
            each for name, each in self._known.items() if each.kind == kind and name.startswith("temporal_") == sdk
        ]
        durations = [each for each in alike if kind != "histogram" or "_latency" in each.name]
        if not durations:
            return MetricSpelling(metric, kind, scale=0.001 if sdk and kind == "histogram" else 1.0)
        suffix, scale = Counter((each.suffix, each.scale) for each in durations).most_common(1)[0][0]
        if suffix in (SECONDS, MILLISECONDS) and "_latency" not in metric:
            suffix = ""
        return MetricSpelling(metric + suffix, kind, suffix, scale)
