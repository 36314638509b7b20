"""Where an executable comes from: one small class per source, behind one Protocol."""

from __future__ import annotations

from ..models import Goal
from .source import Source


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
