"""A step as the index stores it."""

from __future__ import annotations

from dataclasses import dataclass

from .failure_texts import IndexedFailure


@dataclass(slots=True)
class IndexedStep:
    """One step. Times are microseconds since 1970; 0 and None: there is none.

    A step that is a single event opens and closes at the same time, and has no other event.
    """

    id: int
    kind: int
    name: str
    key: str
    opened_type: int
    opened_at: int
    started_id: int = 0
    started_type: int = 0
    started_at: int = 0
    closed_id: int = 0
    closed_type: int = 0
    closed_at: int | None = None
    attempt: int = 0
    identity: str = ""
    build: str = ""
    failure: IndexedFailure | None = None
    before: IndexedFailure | None = None
    note: str = ""
    timed: bool = True
