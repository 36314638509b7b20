"""Latencies from the buckets of a histogram, as exact as the buckets."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from .parser import ParsedMetrics

Match = Callable[[Mapping[str, str]], bool]


@dataclass(frozen=True)
class Quantile:
    """A quantile of durations, in seconds.

    Args:
        low, high: The bounds of the bucket that it is in; `high` is None for the last, unbounded bucket.
        seconds: An estimate by linear interpolation; None in the first and in the last bucket.
    """

    low: float
    high: float | None
    seconds: float | None


@dataclass(frozen=True)
class Latency:
    """The number of durations, their mean in seconds, their median and their 95th percentile."""

    count: int
    mean_seconds: float
    p50: Quantile
    p95: Quantile


def latency(metrics: ParsedMetrics, name: str, match: Match = lambda _: True) -> Latency | None:
    """The latency of a histogram's series whose labels `match`, taken together; None if nothing was recorded."""
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
    """The quantile for a `share` from 0 to 1.

    Args:
        buckets: Upper bounds with the number of durations up to each, in order; the last bound is infinite.
    """
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
