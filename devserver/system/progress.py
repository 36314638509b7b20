"""Progress of long work: the library reports to a `Reporter` and prints nothing itself."""

from __future__ import annotations

from typing import Protocol


class Reporter(Protocol):
    """Receives notes, warnings and progress, in the thread that does the work."""

    def note(self, text: str) -> None:
        """One line, such as: waiting for another process, retrying, trying another source."""

    def warn(self, text: str) -> None:
        """One line of warning, such as: a security advisory, an open port."""

    def progress(self, what: str, done: int, total: int | None) -> None:
        """`done` of `total` bytes of `what` have arrived; `total` is None if it is unknown."""


class Silent:
    """Reports nothing."""

    def note(self, text: str) -> None:
        """Do nothing."""

    def warn(self, text: str) -> None:
        """Do nothing."""

    def progress(self, what: str, done: int, total: int | None) -> None:
        """Do nothing."""
