"""What happens in a drill session: a person does it, or presses Enter and the drill does it."""

from __future__ import annotations

from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any, ClassVar

from ...client import OPEN_STATUSES, PAUSED
from .. import ledger
from ..drills.handover import HandOver
from ..drills.operator import Operator
from ..drills.pause import Pause, judge_resumed
from ..drills.stop import StopDrill
from ..environment.run_context import RunContext
from ..scenario.events import TriggerEvent
from .guide import BY_HAND_SECONDS, Guide, enter_or, patience, where

PAUSED_SECONDS = 2.0  # in which nothing may start, however fast the person is


@dataclass(frozen=True)
class GuidedPause:
    """The person pauses the runbook, looks at it, and resumes it."""

    guide: Guide = field(repr=False, compare=False)
    lane: ClassVar[str] = "drill"

    async def begin(self, context: RunContext, trigger: TriggerEvent) -> Coroutine[Any, Any, None]:
        """Pause it; the rest resumes it."""
        operator = Operator(context)
        self.guide.say(where(context, trigger))
        self.guide.by_hand(
            "Pause it in the Web UI, or with:",
            f"devserver temporal {self.guide.server} -- workflow pause -w {context.workflow_id}",
        )
        limit = await patience(context, trigger)

        async def is_paused() -> bool:
            return await operator.status() == PAUSED

        if not await enter_or(self.guide, "Enter pauses it for you", limit, is_paused):
            await Pause(None).begin(context, trigger)
        return self._rest(context, operator)

    async def _rest(self, context: RunContext, operator: Operator) -> None:
        self.guide.say(
            "It is paused: the attempt that runs may finish, and nothing new starts. But an attempt that fails now is "
            "retried in spite of the pause, and a child workflow is not paused."
        )
        self.guide.by_hand(
            "Look at it, and resume it:",
            f"devserver stuck {self.guide.server}",
            f"devserver temporal {self.guide.server} -- workflow unpause -w {context.workflow_id}",
        )
        if await context.lasts(PAUSED_SECONDS):
            return

        async def is_resumed() -> bool:
            return await operator.status() != PAUSED

        by_hand = await enter_or(self.guide, "Enter resumes it for you", BY_HAND_SECONDS, is_resumed)
        context.judgements.append(await judge_resumed(context, str(self), by_hand=by_hand))
        self.guide.say("It is resumed, and runs to its end.")

    def __str__(self) -> str:
        return "you pause the workflow, and resume it"


@dataclass(frozen=True)
class GuidedStop:
    """The person cancels the runbook."""

    guide: Guide = field(repr=False, compare=False)
    stop: StopDrill
    lane: ClassVar[str] = "drill"

    async def begin(self, context: RunContext, trigger: TriggerEvent) -> Coroutine[Any, Any, None]:
        """Cancel it; the rest waits for its end."""
        before = len(ledger.read(context.ledger))
        await _cancelled(self.guide, context, trigger, "Enter cancels it for you")
        return self._rest(context, before)

    async def _rest(self, context: RunContext, before: int) -> None:
        self.guide.say(
            "Its cancellation is requested: the workflow learns of it, may clean up, and ends. Terminating it would "
            "end it at once, without cleaning up."
        )
        await self.stop.rest(context, before)

    def __str__(self) -> str:
        return "you stop the workflow (cancel)"


@dataclass(frozen=True)
class GuidedHandOver:
    """The person cancels the runbook, and the script does the rest."""

    guide: Guide = field(repr=False, compare=False)
    hand_over: HandOver
    lane: ClassVar[str] = "drill"

    async def begin(self, context: RunContext, trigger: TriggerEvent) -> Coroutine[Any, Any, None]:
        """Cancel it; the rest runs the script."""
        await _cancelled(self.guide, context, trigger, "Enter cancels it for you; then your script runs")
        return self._rest(context)

    async def _rest(self, context: RunContext) -> None:
        self.guide.say(
            "When it has ended, your script does the rest. It finds what was done in the ledger, a file that "
            "DEVSERVER_LEDGER names."
        )
        await self.hand_over.rest(context)

    def __str__(self) -> str:
        return "you hand the workflow over to the script"


async def _cancelled(guide: Guide, context: RunContext, trigger: TriggerEvent, prompt: str) -> None:
    """Have the person cancel the runbook, or do it."""
    operator = Operator(context)
    guide.say(where(context, trigger))
    guide.by_hand("Stop it in the Web UI, or with:", f"devserver workflow cancel {context.workflow_id} {guide.server}")

    async def is_cancelled() -> bool:
        description = await operator.describe()
        extended = description.workflow_extended_info
        return extended.cancel_requested or description.workflow_execution_info.status not in OPEN_STATUSES

    if not await enter_or(guide, prompt, await patience(context, trigger), is_cancelled):
        await operator.cancel()
