"""How the library tells of long work without printing: the CLI passes a `Reporter`, others stay silent."""

from __future__ import annotations

from typing import Protocol


class Reporter(Protocol):
    """Receives what a person would want to see while waiting. Called from the thread that works."""

    def note(self, text: str) -> None:
        """Say one line: waiting for another process, retrying, falling back, an unpinned version."""

    def warn(self, text: str) -> None:
        """Say one line of warning: advisories, an open address."""

    def progress(self, what: str, done: int, total: int | None) -> None:
        """`done` of `total` bytes of `what` are there; `total` is None when it is unknown."""


class Silent:
    """The default: says nothing."""

    def note(self, text: str) -> None:
        """Say nothing."""

    def warn(self, text: str) -> None:
        """Say nothing."""

    def progress(self, what: str, done: int, total: int | None) -> None:
        """Say nothing."""
