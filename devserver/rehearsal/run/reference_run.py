"""Runs the runbook of a new scenario file once without faults, to see the side effects that it reports."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

from ...errors import DevServerError
from ..scenario.loader import scenarios_in
from ..scenario.template import first_scenario
from .runner import rehearse


def add_effects(module: str, file: Path) -> str | None:
    """Write `expect.exactly_once` into a file of `write_first` for each effect of a run without faults.

    Returns:
        Why there are none; None if there are.

    Raises:
        OSError: The file cannot be written.
    """
    try:
        scenario = scenarios_in([file])[0]
        result = asyncio.run(rehearse(replace(scenario, plan=())))
    except DevServerError as error:
        return error.message
    if result.run is None or result.run.status != "completed":
        return (result.run.failure if result.run else None) or result.reason
    names = list(dict.fromkeys(effect.name for effect in result.run.effects))
    if not names:
        return "the runbook reports no side effects to the ledger"
    file.write_text(first_scenario(module, file, names), encoding="utf-8")
    return None
