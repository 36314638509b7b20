"""The timeline of a run: what happened and when, in lanes."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from typing import Any

# server, worker, network, database, fault, drill, activity, effect, event, check, log, or a member of the patient.
Lane = str


@dataclass(frozen=True)
class Mark:
    """Something that happened: `at` in seconds after the run's start, and `until` if it lasted (None: a moment).

    `detail` holds plain JSON values.
    """

    at: float
    lane: Lane
    what: str
    until: float | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)


class Timeline:
    """The marks of one run. Used from one event loop."""

    def __init__(self, on_mark: Callable[[Mark], None] = lambda mark: None) -> None:
        self.began = datetime.now(timezone.utc)
        self._zero = time.monotonic()
        self._on_mark = on_mark
        self._marks: list[Mark] = []

    def now(self) -> float:
        """Seconds since the run's start."""
        return time.monotonic() - self._zero

    def seconds(self, moment: datetime) -> float:
        """A wall-clock time as seconds since the run's start."""
        return (moment - self.began).total_seconds()

    def note(self, lane: Lane, what: str, *, at: float | None = None, **detail: Any) -> int:
        """Mark something that happens now, or happened `at`; returns its number, for `end`."""
        mark = Mark(self.now() if at is None else at, lane, what, None, detail)
        self._marks.append(mark)
        self._on_mark(mark)
        return len(self._marks) - 1

    def end(self, number: int, **detail: Any) -> None:
        """End a mark now, and add `detail` to it."""
        mark = self._marks[number]
        self._marks[number] = replace(mark, until=self.now(), detail={**mark.detail, **detail})

    @property
    def marks(self) -> tuple[Mark, ...]:
        """All marks so far, by time."""
        return tuple(sorted(self._marks, key=lambda mark: mark.at))

    def of(self, lane: Lane) -> list[Mark]:
        """The marks of one lane, by time."""
        return [mark for mark in self.marks if mark.lane == lane]
