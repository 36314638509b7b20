"""A reporter that keeps what it hears."""

from __future__ import annotations


class Recorder:
    """Notes, warnings and progress, in the order they came."""

    def __init__(self) -> None:
        self.notes: list[str] = []
        self.warnings: list[str] = []
        self.steps: list[tuple[str, int, int | None]] = []

    def note(self, text: str) -> None:
        """Keep a note."""
        self.notes.append(text)

    def warn(self, text: str) -> None:
        """Keep a warning."""
        self.warnings.append(text)

    def progress(self, what: str, done: int, total: int | None) -> None:
        """Keep a step."""
        self.steps.append((what, done, total))
