"""Names of metrics: from Temporal's documentation to the spelling of the scraped endpoints."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ..parser import MILLISECONDS, SECONDS, MetricSpelling


@dataclass(frozen=True)
class MetricUse:
    """A metric that a configuration uses.

    Args:
        metric: Its name in Temporal's documentation.
        name: Its name in the configuration.
        available: Whether an endpoint has it now.
    """

    metric: str
    name: str
    available: bool


class MetricNames:
    """The metrics of one kind of endpoint, and which of them were used.

    A metric without a series yet is spelled like the others of its kind.

    Args:
        endpoints: The spellings of each endpoint. If they differ, the first one is used.
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
        """The metrics that were used, by name."""
        return tuple(self._used[metric] for metric in sorted(self._used))

    def gauge(self, metric: str) -> str:
        """The name of a gauge."""
        return self._use(metric, "gauge").name

    def counter(self, metric: str) -> str:
        """The name of a counter."""
        return self._use(metric, "counter").name

    def histogram(self, metric: str) -> tuple[str, float]:
        """The name of a histogram, and the factor that turns its durations into seconds."""
        spelling = self._use(metric, "histogram")
        return spelling.name, spelling.scale

    def _use(self, metric: str, kind: str) -> MetricSpelling:
        known = self._known.get(metric)
        spelling = known or self._guess(metric, kind)
        self._used[metric] = MetricUse(metric, spelling.name, known is not None)
        return spelling

    def _guess(self, metric: str, kind: str) -> MetricSpelling:
        """The spelling of most metrics of that kind; without any, durations of an SDK are in milliseconds."""
        sdk = metric.startswith("temporal_")
        similar = [
            spelling
            for name, spelling in self._known.items()
            if spelling.kind == kind
            and name.startswith("temporal_") == sdk
            and (kind != "histogram" or "_latency" in spelling.name)
        ]
        if not similar:
            return MetricSpelling(metric, kind, scale=0.001 if sdk and kind == "histogram" else 1.0)
        suffix, scale = Counter((spelling.suffix, spelling.scale) for spelling in similar).most_common(1)[0][0]
        if suffix in (SECONDS, MILLISECONDS) and "_latency" not in metric:
            suffix = ""
        return MetricSpelling(metric + suffix, kind, suffix, scale)
