"""Rehearse an outage: run a runbook on the real server, break things under it, and judge what came of it.

The names of `__all__` are loaded when they are first used: a runbook imports `ledger` from here, also where it runs for
earnest, and that must cost nothing.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from . import drills, expect, faults, ledger, report
    from .environment.run_context import Stage
    from .run.legacy_script import Script
    from .run.runner import Settings, rehearse
    from .run.sweep import sweep
    from .scenario import moments as at
    from .scenario.events import Cue
    from .scenario.loader import scenarios_in
    from .scenario.result import Result
    from .scenario.scenario import Scenario
    from .scenario.view import Look

__all__ = [
    "Cue",
    "Look",
    "Result",
    "Scenario",
    "Script",
    "Settings",
    "Stage",
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

_MODULES = ("at", "drills", "expect", "faults", "ledger", "report")
_HOMES = {
    "at": "scenario.moments",
    "Cue": "scenario.events",
    "Look": "scenario.view",
    "Result": "scenario.result",
    "Scenario": "scenario.scenario",
    "Script": "run.legacy_script",
    "Settings": "run.runner",
    "Stage": "environment.run_context",
    "rehearse": "run.runner",
    "scenarios_in": "scenario.loader",
    "sweep": "run.sweep",
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'devserver.rehearsal' has no attribute {name!r}")
    from importlib import import_module

    module = import_module(f".{_HOMES.get(name, name)}", __name__)
    return module if name in _MODULES else getattr(module, name)


def __dir__() -> list[str]:
    return [*globals(), *__all__]
