"""What a source of executables is, and what it gives."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from ...system.progress import Reporter
from ..models import Goal


@dataclass(frozen=True)
class Fetched:
    """What a source gave.

    Attributes:
        path: The executable; in the work folder, unless the source is `explicit`.
        origin: Where it was had from, to be shown to the user: no credentials.
    """

    path: Path
    origin: str


class Source(Protocol):
    """A place that may have the wanted executable."""

    @property
    def name(self) -> str:
        """Its name, one of `binaries.SOURCES`."""

    @property
    def needs_network(self) -> bool:
        """Whether `--offline` rules it out."""

    def fetch(self, goal: Goal, work: Path, reporter: Reporter) -> Fetched:
        """Put the executable into the folder `work`. Its hash is checked by the caller, never here.

        Raises:
            BinaryNotFound: This source does not have it.
            DownloadFailed: It could not be asked, or gave something that cannot be used.
        """
