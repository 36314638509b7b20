"""What was done to a test's server and when, and how numbers of an outage are read."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from datetime import datetime, timezone


@dataclass(frozen=True)
class Moment:
    """One thing that was done: `at` (UTC), so many `seconds` after the test's server was ready, and `what`."""

    at: datetime
    seconds: float
    what: str

    def __str__(self) -> str:
        return f"{self.seconds:8.3f} s  {self.at:%H:%M:%S.%f}Z  {self.what}"


class Log:
    """The moments of one test, oldest first."""

    def __init__(self) -> None:
        self._begun = time.monotonic()
        self._moments: list[Moment] = []

    def note(self, what: str) -> None:
        """Write down what is done just now."""
        self._moments.append(Moment(datetime.now(timezone.utc), time.monotonic() - self._begun, what))

    @property
    def moments(self) -> tuple[Moment, ...]:
        """All so far."""
        return tuple(self._moments)

    def __str__(self) -> str:
        return "\n".join(f"  {moment}" for moment in self._moments)


def amount(value: float, what: str, unit: str) -> float:
    """`value`, if it is a number of `unit`.

    Raises:
        TypeError: It is no number.
        ValueError: It is negative or not finite.
    """
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError(f"{what} takes a number of {unit}, not {value!r}")
    if not (math.isfinite(value) and value >= 0):
        raise ValueError(f"{what} takes a number of {unit}, 0 or more, not {value!r}")
    return float(value)
