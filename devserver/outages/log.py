"""What happened to a server and its network, and when."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import datetime, timezone


@dataclass(frozen=True)
class OutageEvent:
    """One thing that happened: `at` (UTC), `seconds` after the log began, and `what`."""

    at: datetime
    seconds: float
    what: str

    def __str__(self) -> str:
        return f"{self.seconds:8.3f} s  {self.at:%H:%M:%S.%f}Z  {self.what}"


class OutageLog:
    """The events of one server, oldest first."""

    def __init__(self) -> None:
        self._start = time.monotonic()
        self._events: list[OutageEvent] = []

    def note(self, what: str) -> None:
        """Add an event that happens now."""
        self._events.append(OutageEvent(datetime.now(timezone.utc), time.monotonic() - self._start, what))

    @property
    def events(self) -> tuple[OutageEvent, ...]:
        """All events so far."""
        return tuple(self._events)

    def __str__(self) -> str:
        return "\n".join(f"  {event}" for event in self._events)
