"""A progress reporter that records what it gets."""

from __future__ import annotations


class Recorder:
    """Notes, warnings and progress, in order."""

    def __init__(self) -> None:
        self.notes: list[str] = []
        self.warnings: list[str] = []
        self.steps: list[tuple[str, int, int | None]] = []

    def note(self, text: str) -> None:
        """Record a note."""
        self.notes.append(text)

    def warn(self, text: str) -> None:
        """Record a warning."""
        self.warnings.append(text)

    def progress(self, what: str, done: int, total: int | None) -> None:
        """Record progress."""
        self.steps.append((what, done, total))
