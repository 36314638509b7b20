"""The fault that advances the runbook's virtual clock."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from ..environment.run_clock import ClockStop
from ..environment.run_context import RunContext
from ..errors import FaultImpossible, ScenarioInvalid
from ..scenario.arguments import seconds
from ..scenario.events import TriggerEvent
from ..scenario.scenario import Scenario


@dataclass(frozen=True)
class AdvanceClock:
    """The runbook's clock is advanced, as if nothing had happened for that time."""

    by: timedelta

    def check(self, scenario: Scenario) -> None:
        """Check that the runbook has a virtual clock."""
        if not scenario.time_skipping:
            raise ScenarioInvalid(
                f"{scenario.name!r} advances the clock, but its runbook has no virtual clock",
                hint="add Scenario(..., time_skipping=True)",
            )

    async def begin(self, context: RunContext, trigger: TriggerEvent) -> Coroutine[Any, Any, None]:
        """Advance the clock; the rest waits until it has arrived."""
        assert context.clock is not None  # noqa: S101 - `check` was there
        return self._moves(context, await context.clock.ahead(self.by))

    async def _moves(self, context: RunContext, stop: ClockStop) -> None:
        tasks = [asyncio.create_task(item.wait()) for item in (stop.arrived, context.over)]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
        if not stop.arrived.is_set():
            raise FaultImpossible("the runbook ended before its clock had advanced that far")

    def __str__(self) -> str:
        return f"the runbook's clock advances by {self.by}"


def advance_clock(by: float | timedelta) -> AdvanceClock:
    """The runbook's clock advances by this much, as soon as no activity runs. For `time_skipping=True`.

    Timers that are due on the way fire. Use it for a runbook that compares times, such as the age of an approval that
    comes two days late.
    """
    length = seconds(by, "advance_clock")
    if not length:
        raise ScenarioInvalid("advance_clock takes a time greater than 0")
    return AdvanceClock(timedelta(seconds=length))
