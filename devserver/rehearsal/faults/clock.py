"""The fault of the runbook's clock."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from ..environment.run_context import RunContext
from ..environment.virtual_clock import ClockStop
from ..errors import FaultImpossible, ScenarioInvalid
from ..scenario.events import TriggerEvent
from ..scenario.scenario import Scenario
from ._numbers import seconds


@dataclass(frozen=True)
class AdvanceClock:
    """The runbook's clock moves ahead, as if nothing had happened for so long."""

    by: timedelta

    def check(self, scenario: Scenario) -> None:
        """See that there is such a clock."""
        if not scenario.time_skipping:
            raise ScenarioInvalid(
                f"{scenario.name!r} moves the clock of a runbook that has none of its own",
                hint="Scenario(..., time_skipping=True) gives it one",
            )

    async def begin(self, context: RunContext, trigger: TriggerEvent) -> Coroutine[Any, Any, None]:
        """Have it moved; the rest waits until it has."""
        assert context.clock is not None  # noqa: S101 - `check` was there
        return self._moves(context, await context.clock.ahead(self.by))

    async def _moves(self, context: RunContext, stop: ClockStop) -> None:
        tasks = [asyncio.create_task(each.wait()) for each in (stop.arrived, context.over)]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
        if not stop.arrived.is_set():
            raise FaultImpossible("the runbook had ended before its clock had moved that far")

    def __str__(self) -> str:
        return f"the runbook's clock moves ahead by {self.by}"


def advance_clock(by: float | timedelta) -> AdvanceClock:
    """The runbook's clock moves ahead by so much, as soon as no activity is under way. For `time_skipping=True`.

    What was due meanwhile has happened then: timers fire on the way. It is felt where a runbook waits for something
    else than time, and compares times: an approval that comes two days late.
    """
    length = seconds(by, "advance_clock")
    if not length:
        raise ScenarioInvalid("advance_clock moves the clock by more than nothing")
    return AdvanceClock(timedelta(seconds=length))
