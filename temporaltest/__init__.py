"""The pytest plugin for Temporal, built on `devserver`.

The public names are those of `__all__`. They are loaded when first used, so a run that needs no Temporal pays nothing.
"""

from __future__ import annotations

TYPE_CHECKING = False  # as in devserver/__init__.py
if TYPE_CHECKING:
    from typing import Any

    from devserver.otel import SpanTree

    from . import factories
    from .activities.call_ledger import Call
    from .activities.scripted import REAL, Script, delays, fails, heartbeats
    from .errors import (
        ClockStuck,
        NotSupported,
        ReplayFailed,
        SetupError,
        TemporalTestError,
        WaitTimeout,
        WorkerDied,
        WorkerStuck,
    )
    from .facade import Temporal
    from .outage import Outage, ServerKilled
    from .replay.fixture import Replay
    from .reports.spans import Spans
    from .schedules.fixture import Schedules
    from .time.controls import Time
    from .versioning.fixture import Versions
    from .workers.running_worker import RunningWorker
    from .workflows.environment import Environment

__all__ = [
    "REAL",
    "Call",
    "ClockStuck",
    "Environment",
    "NotSupported",
    "Outage",
    "Replay",
    "ReplayFailed",
    "RunningWorker",
    "Schedules",
    "Script",
    "ServerKilled",
    "SetupError",
    "SpanTree",
    "Spans",
    "Temporal",
    "TemporalTestError",
    "Time",
    "Versions",
    "WaitTimeout",
    "WorkerDied",
    "WorkerStuck",
    "delays",
    "factories",
    "fails",
    "heartbeats",
]

_MODULES = {
    "activities.call_ledger": ("Call",),
    "time.controls": ("Time",),
    "workflows.environment": ("Environment",),
    "errors": (
        "ClockStuck",
        "NotSupported",
        "ReplayFailed",
        "SetupError",
        "TemporalTestError",
        "WaitTimeout",
        "WorkerDied",
        "WorkerStuck",
    ),
    "facade": ("Temporal",),
    "replay.fixture": ("Replay",),
    "outage": ("Outage", "ServerKilled"),
    "schedules.fixture": ("Schedules",),
    "activities.scripted": ("REAL", "Script", "delays", "fails", "heartbeats"),
    "reports.spans": ("SpanTree", "Spans"),
    "versioning.fixture": ("Versions",),
    "workers.running_worker": ("RunningWorker",),
}
_HOMES = {name: module for module, names in _MODULES.items() for name in names}


def __getattr__(name: str) -> Any:
    from importlib import import_module

    if name == "factories":
        return import_module(".factories", __name__)
    if name not in _HOMES:
        raise AttributeError(f"module 'temporaltest' has no attribute {name!r}")
    return getattr(import_module(f".{_HOMES[name]}", __name__), name)


def __dir__() -> list[str]:
    return [*globals(), *__all__]
