"""Counts the errors of a patient's processes while a run lasts, for the evidence around each fault."""

from __future__ import annotations

import asyncio
import bisect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..recovery.counters import counts_of, rise

EVERY_SECONDS = 2.0


@dataclass(frozen=True)
class ErrorSample:
    """The error counters of each process at a time, in seconds since the run's start; see `error_counts`."""

    at: float
    counts: Mapping[str, float]


async def sample(endpoints: Mapping[str, str], at: float) -> ErrorSample:
    """Ask the processes at these endpoints (HOST:PORT by name); one that does not answer has no counters."""
    found = await asyncio.gather(*(counts_of(name, endpoint) for name, endpoint in endpoints.items()))
    return ErrorSample(at, {name: value for counts in found for name, value in counts.items()})


def risen(samples: Sequence[ErrorSample], since: float, until: float) -> dict[str, float]:
    """What has risen from the last sample before `since` to the first one after `until` (the last one if none is)."""
    if not samples:
        return {}
    times = [each.at for each in samples]
    before = samples[max(0, bisect.bisect_right(times, since) - 1)].counts
    after = samples[min(len(samples) - 1, bisect.bisect_left(times, until))].counts
    return rise(before, after)
