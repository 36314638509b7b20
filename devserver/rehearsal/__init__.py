"""Rehearsals of outages: run a runbook on a real server, break things while it runs, and judge the result.

The names of `__all__` are loaded when they are first used: a runbook imports `ledger` from here in production, too,
and that must cost nothing.
"""

from __future__ import annotations

from ..system.lazy_names import lazy_names

TYPE_CHECKING = False
if TYPE_CHECKING:
    from . import drills, expect, faults, ledger, report
    from .environment.run_context import RunContext
    from .gameday.declaration import GameDay, GameDayAction, Incident
    from .run.legacy_script import LegacyScript
    from .run.runner import RehearsalSettings, rehearse
    from .run.sweep import sweep
    from .scenario import at
    from .scenario.events import TriggerEvent
    from .scenario.loader import scenarios_in
    from .scenario.result import Judgement, RehearsalRun, Result
    from .scenario.scenario import Scenario
    from .scenario.view import RunView

__all__ = [
    "GameDay",
    "GameDayAction",
    "Incident",
    "Judgement",
    "LegacyScript",
    "RehearsalRun",
    "RehearsalSettings",
    "Result",
    "RunContext",
    "RunView",
    "Scenario",
    "TriggerEvent",
    "at",
    "drills",
    "expect",
    "faults",
    "ledger",
    "rehearse",
    "report",
    "scenarios_in",
    "sweep",
]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "environment.run_context": ("RunContext",),
        "gameday.declaration": ("GameDay", "GameDayAction", "Incident"),
        "run.legacy_script": ("LegacyScript",),
        "run.runner": ("RehearsalSettings", "rehearse"),
        "run.sweep": ("sweep",),
        "scenario.events": ("TriggerEvent",),
        "scenario.loader": ("scenarios_in",),
        "scenario.result": ("Judgement", "RehearsalRun", "Result"),
        "scenario.scenario": ("Scenario",),
        "scenario.view": ("RunView",),
    },
    modules={
        "drills": "drills",
        "expect": "expect",
        "faults": "faults",
        "ledger": "ledger",
        "report": "report",
        "at": "scenario.at",
    },
)
