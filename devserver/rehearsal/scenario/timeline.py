"""What happened in a rehearsal and when, in lanes."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from typing import Any, Literal

Lane = Literal[
    "server", "worker", "network", "database", "fault", "drill", "activity", "effect", "event", "check", "log"
]


@dataclass(frozen=True)
class Mark:
    """Something that happened: `at` seconds after the rehearsal's start, `until` where it lasted (None: a moment).

    `detail` holds what JSON can hold.
    """

    at: float
    lane: Lane
    what: str
    until: float | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)


class Timeline:
    """The marks of one rehearsal, in the order in which they were made. Used from one event loop."""

    def __init__(self, on_mark: Callable[[Mark], None] = lambda mark: None) -> None:
        self.began = datetime.now(timezone.utc)
        self._zero = time.monotonic()
        self._on_mark = on_mark
        self._marks: list[Mark] = []

    def now(self) -> float:
        """Seconds since the rehearsal's start."""
        return time.monotonic() - self._zero

    def seconds(self, moment: datetime) -> float:
        """A wall-clock time as seconds since the rehearsal's start."""
        return (moment - self.began).total_seconds()

    def note(self, lane: Lane, what: str, *, at: float | None = None, **detail: Any) -> int:
        """Mark something that happens just now, or happened `at`; its number, for `end`."""
        mark = Mark(self.now() if at is None else at, lane, what, None, detail)
        self._marks.append(mark)
        self._on_mark(mark)
        return len(self._marks) - 1

    def end(self, number: int, **detail: Any) -> None:
        """What was marked lasted until now; `detail` is added to it."""
        mark = self._marks[number]
        self._marks[number] = replace(mark, until=self.now(), detail={**mark.detail, **detail})

    @property
    def marks(self) -> tuple[Mark, ...]:
        """All so far, by time."""
        return tuple(sorted(self._marks, key=lambda mark: mark.at))

    def of(self, lane: Lane) -> list[Mark]:
        """The marks of one lane, by time."""
        return [mark for mark in self.marks if mark.lane == lane]
