"""The protocol of a source of executables."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from ...system.progress import Reporter
from ..models import Goal


@dataclass(frozen=True)
class Fetched:
    """An executable from a source.

    Attributes:
        path: The executable, in the work folder.
        origin: Where it came from, for users: without credentials.
    """

    path: Path
    origin: str


class Source(Protocol):
    """A place that may have the requested executable."""

    @property
    def name(self) -> str:
        """The name of the source, one of `models.SOURCES`."""

    @property
    def needs_network(self) -> bool:
        """Whether `--offline` forbids the source."""

    def fetch(self, goal: Goal, work: Path, reporter: Reporter) -> Fetched:
        """Put the executable into the folder `work`. The caller checks its hash.

        Raises:
            BinaryNotFound: This source does not have it.
            DownloadFailed: The source cannot be reached, or its answer cannot be used.
        """
