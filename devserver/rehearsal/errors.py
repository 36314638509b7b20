"""Errors of rehearsals: a rehearsal could not run. What a rehearsal finds is a verdict, not an error."""

from __future__ import annotations

from ..errors import DevServerError


class RehearsalError(DevServerError):
    """A rehearsal could not run."""


class ScenarioInvalid(RehearsalError):
    """A scenario cannot be loaded, or contains a mistake; nothing was started."""

    exit_code = 2


class WorkerFailed(RehearsalError):
    """The runbook's worker did not start; the details hold the last lines of its log."""


class FixtureFailed(RehearsalError):
    """The scenario's fixture cannot be set up or torn down."""


class FaultImpossible(RehearsalError):
    """A fault or a drill is not possible here or now; the verdict is unknown."""


class GameDayNotPossible(RehearsalError):
    """The game day cannot do this now, such as give a further hint."""


class GameDayRunning(RehearsalError):
    """A game day, a server or a cluster of this name runs already."""

    exit_code = 4


class NoGameDay(RehearsalError):
    """No game day runs, or several do and none was named."""

    exit_code = 4
