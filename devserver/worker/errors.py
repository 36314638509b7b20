"""Why a worker cannot run, one class for each case."""

from __future__ import annotations

from ..errors import DevServerError


class RunError(DevServerError):
    """The worker cannot run."""


class NothingToRun(RunError):
    """The module has no workflow, no activity and no Nexus service."""


class WorkerRefused(RunError):
    """The SDK refuses the module's workflows, activities or services, or the options."""


class WorkerEnded(RunError):
    """The worker process ended by itself."""


class WorkerKilled(WorkerEnded):
    """The worker process was killed from outside before it was ready: its code is not to blame."""


class WatchfilesMissing(RunError):
    """Files cannot be watched: the extra `run` is not installed."""

    exit_code = 2
