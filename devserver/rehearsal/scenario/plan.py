"""The plan of a scenario: moments, and the faults and drills that are done when a moment comes."""

from __future__ import annotations

import random
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from ..errors import ScenarioInvalid
from .events import TimeTrigger, TriggerEvent

if TYPE_CHECKING:
    from random import Random

    from ..environment.run_context import RunContext
    from .result import RehearsalRun
    from .view import RunView

CALL_IT = "call it: {example}"


class Action(Protocol):
    """A fault or a drill. `str()` of it says what it does, in the plan and in the report."""

    async def begin(self, context: RunContext, trigger: TriggerEvent) -> Coroutine[Any, Any, None] | None:
        """Start the action. A returned coroutine is the rest of it: it runs while the runbook continues.

        Raises:
            FaultImpossible: The action cannot be done here or now.
        """
        ...


class PlannedScenario(Protocol):
    """What a moment needs to know of its scenario to validate itself."""

    @property
    def name(self) -> str:
        """The scenario's name."""
        ...

    @property
    def time_skipping(self) -> bool:
        """Whether the runbook has a virtual clock."""
        ...


class Moment:
    """A moment of a run. The first trigger event that matches it starts the actions planned for it.

    A step whose moment is `optional` may stay undone.
    """

    optional = False

    def do(self, *actions: Action) -> PlanStep:
        """Plan faults and drills for this moment; they are done one after the other."""
        return PlanStep(self, actions)

    def matches(self, trigger: TriggerEvent) -> bool:
        """Whether the trigger event is this moment."""
        return isinstance(trigger, TimeTrigger) and trigger.moment is self

    async def comes(self, view: RunView) -> str | None:
        """Wait until the moment comes and describe it; None for a moment that a trigger event announces."""
        return None

    def drawn(self, dice: Random, baseline: RehearsalRun | None) -> Moment:
        """The actual moment of this run, where it is random; `baseline` is the run without faults."""
        return self

    def over(self, view: RunView) -> None:
        """All actions planned for this moment are done."""
        return


@dataclass(frozen=True)
class PlanStep:
    """A moment and the actions to do then."""

    moment: Moment
    actions: Sequence[Action]

    def __post_init__(self) -> None:
        if not self.actions:
            raise ScenarioInvalid(f"nothing is planned for this moment: {self.moment}", hint="give do() a fault")
        for action in self.actions:
            _validate(action, self.moment)

    def __str__(self) -> str:
        return f"{self.moment}: {', then '.join(map(str, self.actions))}"


def _validate(action: object, moment: Moment) -> None:
    if isinstance(action, type) or not callable(getattr(action, "begin", None)):
        name = getattr(action, "__name__", repr(action))
        raise ScenarioInvalid(
            f"{name} is neither a fault nor a drill (planned at: {moment})",
            hint=CALL_IT.format(example="faults.kill_server()"),
        )


SEEDS = 2**32  # a seed is 0 or more, and less


def any_seed() -> int:
    """One that nobody has chosen."""
    return random.SystemRandom().randrange(SEEDS)
