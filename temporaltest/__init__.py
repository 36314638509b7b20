"""The pytest plugin for Temporal, built on `devserver`.

The public names are those of `__all__`. They are loaded when first used, so a run that needs no Temporal pays nothing.
"""

from __future__ import annotations

try:
    from devserver import lazy_names
except ImportError:
    from .import_name import not_ours

    raise not_ours() from None

TYPE_CHECKING = False  # as in devserver/__init__.py
if TYPE_CHECKING:
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

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "reports.spans": ("SpanTree", "Spans"),
        "activities.call_ledger": ("Call",),
        "activities.scripted": ("REAL", "Script", "delays", "fails", "heartbeats"),
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
        "outage": ("Outage", "ServerKilled"),
        "replay.fixture": ("Replay",),
        "schedules.fixture": ("Schedules",),
        "time.controls": ("Time",),
        "versioning.fixture": ("Versions",),
        "workers.running_worker": ("RunningWorker",),
        "workflows.environment": ("Environment",),
    },
    modules={"factories": "factories"},
)
