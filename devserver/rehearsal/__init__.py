"""Rehearsals of outages: run a runbook on a real server, break things while it runs, and judge the result.

The names of `__all__` are loaded when they are first used: a runbook imports `ledger` from here in production, too,
and that must cost nothing.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from . import drills, expect, faults, ledger, report
    from .environment.run_context import RunContext
    from .run.legacy_script import LegacyScript
    from .run.runner import RehearsalSettings, rehearse
    from .run.sweep import sweep
    from .scenario import moments as at
    from .scenario.events import TriggerEvent
    from .scenario.loader import scenarios_in
    from .scenario.result import Judgement, RehearsalRun, Result
    from .scenario.scenario import Scenario
    from .scenario.view import RunView

__all__ = [
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

_PACKAGES = ("at", "drills", "expect", "faults", "ledger", "report")
_MODULES = {
    "at": "scenario.moments",
    "Judgement": "scenario.result",
    "LegacyScript": "run.legacy_script",
    "RehearsalRun": "scenario.result",
    "RehearsalSettings": "run.runner",
    "Result": "scenario.result",
    "RunContext": "environment.run_context",
    "RunView": "scenario.view",
    "Scenario": "scenario.scenario",
    "TriggerEvent": "scenario.events",
    "rehearse": "run.runner",
    "scenarios_in": "scenario.loader",
    "sweep": "run.sweep",
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'devserver.rehearsal' has no attribute {name!r}")
    from importlib import import_module

    module = import_module(f".{_MODULES.get(name, name)}", __name__)
    return module if name in _PACKAGES else getattr(module, name)


def __dir__() -> list[str]:
    return [*globals(), *__all__]
