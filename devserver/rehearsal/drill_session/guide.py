"""What a drill session needs of its terminal, and the moment at which it begins."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Protocol

from ..drills.operator import Operator
from ..environment.run_context import RunContext
from ..errors import FaultImpossible
from ..scenario.events import ActivityTrigger, TriggerEvent
from ..scenario.plan import Moment

if TYPE_CHECKING:
    from ..scenario.view import RunView

BY_HAND_SECONDS = 300.0  # for a person to read and to act
WITHOUT_ACTIVITY = 10.0  # seconds without an activity until the drill begins anyway


class Guide(Protocol):
    """Speaks with the person."""

    @property
    def server(self) -> str:
        """The words that make a command of devserver ask the drill's server, such as `--name drill-1`."""
        ...

    def say(self, text: str) -> None:
        """Print a paragraph."""
        ...

    def by_hand(self, text: str, *commands: str) -> None:
        """Print how a person does it without the drill; nothing where nobody is asked."""
        ...

    async def ready(self, prompt: str, limit: float) -> None:
        """Ask for Enter, and wait for it for up to `limit` seconds."""
        ...


async def enter_or(guide: Guide, prompt: str, limit: float, done: Callable[[], Awaitable[bool]]) -> bool:
    """Wait for Enter, or until the person has done it without the drill; whether they have."""
    pressed = asyncio.create_task(guide.ready(prompt, limit))

    async def until_done() -> None:
        while not await done():
            await asyncio.sleep(LOOK_SECONDS)

    by_hand = asyncio.create_task(until_done())
    try:
        await asyncio.wait([pressed, by_hand], return_when=asyncio.FIRST_COMPLETED)
        return by_hand.done() and not pressed.done()
    finally:
        for task in (pressed, by_hand):
            task.cancel()
        await asyncio.gather(pressed, by_hand, return_exceptions=True)


LOOK_SECONDS = 0.3


@dataclass(frozen=True)
class FirstActivity(Moment):
    """The first activity starts or completes; in a workflow without activities, some time has passed."""

    phase: str = "starts"

    def matches(self, trigger: TriggerEvent) -> bool:
        """Whether the trigger event is this moment."""
        if isinstance(trigger, ActivityTrigger):
            return trigger.phase == self.phase
        return super().matches(trigger)

    async def comes(self, view: RunView) -> str | None:
        """Wait for a workflow that has no activity."""
        await asyncio.sleep(WITHOUT_ACTIVITY)
        return str(self)

    def __str__(self) -> str:
        return f"the first activity {self.phase}"


async def patience(context: RunContext, trigger: TriggerEvent) -> float:
    """How long the person may take while the attempt of an activity waits: less than its timeout."""
    if not isinstance(trigger, ActivityTrigger):
        return BY_HAND_SECONDS
    limits = [BY_HAND_SECONDS]
    try:
        pending = (await Operator(context).describe()).pending_activities
    except FaultImpossible:
        return BY_HAND_SECONDS
    for activity in pending:
        if activity.activity_id == trigger.activity_id:
            options = activity.activity_options
            times = (options.start_to_close_timeout, options.heartbeat_timeout, options.schedule_to_close_timeout)
            limits += [time.ToTimedelta() / timedelta(seconds=2) for time in times if time.ToTimedelta()]
    return min(limits)


def where(context: RunContext, trigger: TriggerEvent) -> str:
    """What the runbook does now, for the person."""
    waits = f"Its activity {trigger.activity} waits" if isinstance(trigger, ActivityTrigger) else "It waits"
    return f"Your workflow runs: {context.workflow_id}. {waits} for you."
