"""The moments of a plan: when a fault or a drill is done."""

from __future__ import annotations

import asyncio
import difflib
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from ..errors import ScenarioInvalid
from .events import SERVER, ActivityTrigger, HistoryTrigger, LogTrigger, Phase, TriggerEvent
from .patient_logs import groups_of, require_log
from .plan import Moment, PlannedScenario

if TYPE_CHECKING:
    from random import Random

    from .result import RehearsalRun
    from .view import RunView

POLL_SECONDS = 0.02


@dataclass(frozen=True)
class ActivityMoment(Moment):
    """The nth time that an attempt of an activity starts, fails or completes."""

    activity: str
    phase: Phase
    nth: int

    def matches(self, trigger: TriggerEvent) -> bool:
        """Whether the trigger event is this moment."""
        return isinstance(trigger, ActivityTrigger) and (trigger.activity, trigger.phase, trigger.nth) == (
            self.activity,
            self.phase,
            self.nth,
        )

    def __str__(self) -> str:
        return f"{_ordinal(self.nth)} time that {self.activity} {self.phase}"


@dataclass(frozen=True)
class EventMoment(Moment):
    """The nth event of a type in the runbook's history (`TimerStarted`)."""

    type: str
    nth: int

    def matches(self, trigger: TriggerEvent) -> bool:
        """Whether the trigger event is this moment."""
        return isinstance(trigger, HistoryTrigger) and (trigger.type, trigger.nth) == (self.type, self.nth)

    def check(self, scenario: PlannedScenario) -> None:
        """Check that there is such a type of event."""
        from ...history import EVENT_ROLES

        types = [role.name for role in EVENT_ROLES.values()]
        if self.type not in types:
            close = difflib.get_close_matches(self.type, types, 1)
            raise ScenarioInvalid(
                f"{scenario.name!r} waits for an unknown type of event: {self.type!r}",
                hint=f"did you mean {close[0]}?" if close else "use the names of a history, such as TimerStarted",
            )

    def __str__(self) -> str:
        return f"{_ordinal(self.nth)} event {self.type}"


@dataclass(frozen=True)
class EventIdMoment(Moment):
    """The event with this id in the runbook's history."""

    id: int

    def matches(self, trigger: TriggerEvent) -> bool:
        """Whether the trigger event is this moment."""
        return isinstance(trigger, HistoryTrigger) and trigger.id == self.id

    def __str__(self) -> str:
        return f"event {self.id}"


@dataclass(frozen=True)
class ElapsedMoment(Moment):
    """A number of seconds after the runbook's start."""

    seconds: float

    async def comes(self, view: RunView) -> str | None:
        """Wait for that time."""
        await asyncio.sleep(self.seconds)
        return str(self)

    def __str__(self) -> str:
        return f"{self.seconds:g} s after the start"


@dataclass(frozen=True)
class VirtualMoment(Moment):
    """A virtual time after the runbook's start; the clock stands still until the actions planned there are done."""

    after: timedelta

    def check(self, scenario: PlannedScenario) -> None:
        """Check that the runbook has a virtual clock."""
        if not scenario.time_skipping:
            raise ScenarioInvalid(
                f"{scenario.name!r} waits for a virtual time, but its runbook has no virtual clock",
                hint="add Scenario(..., time_skipping=True)",
            )

    async def comes(self, view: RunView) -> str | None:
        """Wait for the clock."""
        await view.clock.stop(self.after).arrived.wait()
        return str(self)

    def over(self, view: RunView) -> None:
        """Let the clock continue."""
        view.clock.stop(self.after).release()

    def __str__(self) -> str:
        return f"{self.after} of virtual time after the start"


@dataclass(frozen=True)
class LogMoment(Moment):
    """The first line of a log, since the run's start, that matches a pattern."""

    pattern: str
    where: str = SERVER

    def check(self, scenario: PlannedScenario) -> None:
        """Check that there is such a log."""
        require_log(self.where, scenario, (SERVER,))

    def matches(self, trigger: TriggerEvent) -> bool:
        """Whether the trigger event is this moment."""
        if not isinstance(trigger, LogTrigger) or self.where not in (trigger.where, *groups_of(trigger.where)):
            return False
        return re.search(self.pattern, trigger.line) is not None

    def __str__(self) -> str:
        who = "the server" if self.where == SERVER else f"{self.where} of the patient"
        return f"{who} logs /{self.pattern}/"


@dataclass(frozen=True)
class ConditionMoment(Moment):
    """A condition of your own is true for the first time."""

    condition: Callable[[RunView], bool] = field(compare=False)
    name: str

    async def comes(self, view: RunView) -> str | None:
        """Evaluate the condition every 20 ms."""
        while not self.condition(view):
            await asyncio.sleep(POLL_SECONDS)
        return str(self)

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True)
class RandomEvent(Moment):
    """A random event of the history without faults; the seed decides which."""

    needs_baseline = True

    def drawn(self, dice: Random, baseline: RehearsalRun | None) -> Moment:
        """The event of this run."""
        events = baseline.histories[0].events if baseline and baseline.histories else ()
        return EventIdMoment(dice.randint(1, len(events))) if events else self

    def __str__(self) -> str:
        return "a random event"


@dataclass(frozen=True)
class RandomTime(Moment):
    """A random time after the start; the seed decides which."""

    earliest: float
    latest: float

    def drawn(self, dice: Random, baseline: RehearsalRun | None) -> Moment:
        """The time of this run, in whole milliseconds."""
        return ElapsedMoment(round(dice.uniform(self.earliest, self.latest), 3))

    def __str__(self) -> str:
        return f"a random time, {self.earliest:g} s to {self.latest:g} s after the start"


@dataclass(frozen=True)
class FacilitatorMoment(Moment):
    """The facilitator of a game day decides when it comes, if it does."""

    optional = True

    def __str__(self) -> str:
        return "when the facilitator says so"


def _ordinal(number: int) -> str:
    last = number % 100
    ending = "th" if last in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"
