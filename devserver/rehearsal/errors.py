"""What can be wrong with a rehearsal itself, apart from what it finds."""

from __future__ import annotations

from ..errors import DevServerError


class RehearsalError(DevServerError):
    """A rehearsal could not be held."""


class ScenarioInvalid(RehearsalError):
    """A scenario says what cannot be done, or cannot be loaded."""

    exit_code = 2


class WorkerFailed(RehearsalError):
    """The runbook's worker does not start or has died by itself; the details hold its last lines."""


class FixtureFailed(RehearsalError):
    """What a scenario's runbook works on cannot be made or taken down."""


class FaultImpossible(RehearsalError):
    """A fault or a drill cannot be done here, or not now; the verdict is unknown."""
