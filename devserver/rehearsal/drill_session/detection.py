"""The drill session in which an activity fails again and again, until somebody notices."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any, ClassVar

from ...errors import CannotAsk
from ...stuck.detector import find_stuck
from ...stuck.findings import Finding as Stuck
from ..environment.asyncio_compat import within
from ..environment.run_context import RunContext
from ..faults.activity import fail_activity
from ..scenario.events import ActivityTrigger, TriggerEvent
from ..scenario.plan import Moment, PlanStep
from ..scenario.result import Judgement
from .guide import BY_HAND_SECONDS, LOOK_SECONDS, Guide

MOST_FAILURES = 200
DETECT_SECONDS = 120.0
MESSAGE = "a failure of the drill: it does not get better by itself"


@dataclass
class Detection:
    """Which activity fails, and whether it was noticed.

    Attributes:
        activity: The type of the activity that fails; empty before the first one has started.
        over: Whether the drill has seen enough, so that it heals.
    """

    activity: str = ""
    over: bool = False


@dataclass(frozen=True)
class FailingAttempt(Moment):
    """The nth attempt of the first activity that starts."""

    nth: int
    state: Detection = field(repr=False, compare=False)
    optional = True

    def matches(self, trigger: TriggerEvent) -> bool:
        """Whether the trigger event is this moment."""
        if not isinstance(trigger, ActivityTrigger) or trigger.phase != "starts" or trigger.nth != self.nth:
            return False
        return self.state.activity in ("", trigger.activity)

    def __str__(self) -> str:
        return f"attempt {self.nth} of the first activity"


@dataclass(frozen=True)
class FailUntilNoticed:
    """The attempt fails, unless somebody has noticed it."""

    state: Detection = field(repr=False, compare=False)

    async def begin(self, context: RunContext, trigger: TriggerEvent) -> None:
        """Have it fail."""
        assert isinstance(trigger, ActivityTrigger)  # noqa: S101 - the moment matches no other
        self.state.activity = trigger.activity
        if not self.state.over:
            await fail_activity(MESSAGE).begin(context, trigger)

    def __str__(self) -> str:
        return f"the activity {self.state.activity} fails, until somebody notices it".replace("  ", " ")


@dataclass(frozen=True)
class GuidedDetection:
    """The person finds what is wrong; `devserver stuck` is watched meanwhile."""

    guide: Guide = field(repr=False, compare=False)
    state: Detection = field(repr=False, compare=False)
    lane: ClassVar[str] = "drill"

    async def begin(self, context: RunContext, trigger: TriggerEvent) -> Coroutine[Any, Any, None]:
        """Say what to do; the rest waits."""
        self.guide.say(
            f"Your workflow runs: {context.workflow_id}. Its first activity fails from now on. Your workflow does not "
            "end, and nobody calls."
        )
        self.guide.by_hand(
            "Find it in the Web UI, or with:",
            f"devserver stuck {self.guide.server}",
            f"devserver trace {context.workflow_id} {self.guide.server}",
        )
        return self._rest(context, context.timeline.now())

    async def _rest(self, context: RunContext, began: float) -> None:
        asking = asyncio.create_task(self.guide.ready("Enter when you see it", BY_HAND_SECONDS))
        found = await self._found(context, began)
        took = context.timeline.now() - began
        await asyncio.wait([asking, asyncio.create_task(context.over.wait())], return_when=asyncio.FIRST_COMPLETED)
        person = context.timeline.now() - began
        asking.cancel()
        self.state.over = True
        context.judgements.append(self._judged(found, took, context))
        if found is not None:
            self.guide.say(
                f"`devserver stuck` reported it after {took:.1f} s, and you said so after {person:.1f} s. An alert on "
                f"it: devserver stuck --watch, or devserver observe. The activity succeeds again from now on."
            )

    async def _found(self, context: RunContext, began: float) -> Stuck | None:
        while context.timeline.now() - began < DETECT_SECONDS and not context.over.is_set():
            try:
                report = await within(5.0, find_stuck(context.client, workflow_id=context.workflow_id))
            except (CannotAsk, asyncio.TimeoutError):
                report = None
            if report is not None and report.findings:
                return report.findings[0]
            await context.lasts(LOOK_SECONDS)
        return None

    def _judged(self, found: Stuck | None, took: float, context: RunContext) -> Judgement:
        if found is not None:
            return Judgement(str(self), "pass", f"{found.kind} reported after {took:.1f} s: {found.what}", [found.hint])
        if context.over.is_set():
            why = "the workflow ended before it was reported: its activity is not retried, so look at failed workflows"
        else:
            why = f"nothing was reported in {took:.0f} s: the pause between two attempts is long"
        return Judgement(str(self), "fail", why)

    def __str__(self) -> str:
        return "an activity fails, and devserver stuck reports it"


def failing_plan(guide: Guide) -> list[PlanStep]:
    """The plan of the drill."""
    state = Detection()
    first = FailingAttempt(1, state).do(FailUntilNoticed(state), GuidedDetection(guide, state))
    more = [FailingAttempt(number, state).do(FailUntilNoticed(state)) for number in range(2, MOST_FAILURES)]
    return [first, *more]
