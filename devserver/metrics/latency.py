"""How long something took, from a histogram's buckets: no more exact than they are, and saying so."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from .parser import ParsedMetrics

Match = Callable[[Mapping[str, str]], bool]


@dataclass(frozen=True)
class Quantile:
    """A duration that a share of all stayed within. It lies between `low` and `high` seconds, a bucket's bounds;
    `seconds` is read off a straight line between them, and None where one of the bounds is 0 or infinite.
    """

    low: float
    high: float | None
    seconds: float | None


@dataclass(frozen=True)
class Latency:
    """`count` durations, their mean in seconds, and their middle and 95th percentile."""

    count: int
    mean_seconds: float
    p50: Quantile
    p95: Quantile


def latency(metrics: ParsedMetrics, name: str, match: Match = lambda _: True) -> Latency | None:
    """Of the histogram's series whose labels `match`, taken together; None where nothing was recorded."""
    buckets: dict[float, float] = {}
    for labels, value in metrics.all(f"{name}_bucket"):
        if match(labels):
            bound = float(labels["le"])
            buckets[bound] = buckets.get(bound, 0.0) + value
    total = sum(value for labels, value in metrics.all(f"{name}_sum") if match(labels))
    count = buckets.get(math.inf, 0.0)
    if count <= 0:
        return None
    ordered = sorted(buckets.items())
    return Latency(round(count), total / count, quantile(ordered, 0.50), quantile(ordered, 0.95))


def quantile(buckets: list[tuple[float, float]], share: float) -> Quantile:
    """Where the `share` of all lies; `buckets` are upper bounds with how many lie below each, the last one infinite."""
    rank = share * buckets[-1][1]
    low, below = 0.0, 0.0
    for high, within in buckets:
        if within >= rank and within > below:
            if math.isinf(high):
                return Quantile(low, None, None)
            if low == 0.0:
                return Quantile(low, high, None)
            return Quantile(low, high, low + (high - low) * (rank - below) / (within - below))
        low, below = high, within
    return Quantile(low, None, None)
