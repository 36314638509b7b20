"""Times that are arguments of moments, faults, drills and expectations."""

from __future__ import annotations

import math
from datetime import timedelta

from ..errors import ScenarioInvalid


def seconds(value: float | timedelta, what: str) -> float:
    """A time in seconds.

    Raises:
        ScenarioInvalid: It is not a time, negative, or not finite.
    """
    number = value.total_seconds() if isinstance(value, timedelta) else value
    if isinstance(number, bool) or not isinstance(number, (int, float)) or not (math.isfinite(number) and number >= 0):
        raise ScenarioInvalid(f"{what} takes seconds (0 or more) or a timedelta, not {value!r}")
    return float(number)


def and_down(seconds: float) -> str:
    """How long something is down, for the end of a sentence; empty if it comes back at once."""
    return f" and down for {seconds:g} s" if seconds else ""
