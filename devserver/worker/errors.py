"""What can go wrong with a worker, one class per case."""

from __future__ import annotations

from ..errors import DevServerError


class RunError(DevServerError):
    """A worker cannot be run."""


class NothingToRun(RunError):
    """The module has no workflow, no activity and no Nexus service."""


class WorkerRefused(RunError):
    """The SDK refuses the module's workflows, activities or services, or the options."""


class WorkerEnded(RunError):
    """The worker's process ended before it was ready."""


class WatchfilesMissing(RunError):
    """Files cannot be watched: the extra `run` is not installed."""

    exit_code = 2
