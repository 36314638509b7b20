"""Drills that end the runbook: cancelled with its compensations, or terminated."""

from __future__ import annotations

from collections.abc import Coroutine, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, ClassVar

from .. import ledger
from ..environment.run_context import RunContext
from ..errors import ScenarioInvalid
from ..expect.outcome import STATUSES
from ..scenario.arguments import seconds
from ..scenario.events import TriggerEvent
from ..scenario.result import Judgement
from .operator import ANSWER_SECONDS, Operator, left_open

Compensation = str | tuple[str, str]


@dataclass(frozen=True)
class StopDrill:
    """The runbook is cancelled."""

    compensations: Sequence[Compensation]
    within: float
    status: str
    lane: ClassVar[str] = "drill"

    async def begin(self, context: RunContext, trigger: TriggerEvent) -> Coroutine[Any, Any, None]:
        """Cancel the runbook; the rest waits for its end."""
        before = len(ledger.read(context.ledger))
        await Operator(context).cancel()
        return self.rest(context, before)

    async def rest(self, context: RunContext, before: int) -> None:
        """Wait for its end, and judge it; `before` effects happened before the cancellation."""
        operator = Operator(context)
        began = context.timeline.now()
        status = await operator.closed(self.within)
        took = f"{context.timeline.now() - began:.2f} s after it was cancelled"
        if status is None:
            problem = [f"it was still open {took}{await operator.still_open()}"]
        else:
            problem = [] if status == self.status else [f"it is {status}, not {self.status}, {took}"]
            problem += [f"its child workflow {child} is still open" for child in await left_open(operator)]
        problem += self._missing(ledger.read(context.ledger, after=before))
        evidence = "; ".join(problem) or f"it is {status} {took}" + (
            ", everything was compensated" if self.compensations else ""
        )
        context.judgements.append(Judgement(str(self), "fail" if problem else "pass", evidence, problem))

    def _missing(self, effects: Sequence[ledger.Effect]) -> list[str]:
        done = {effect.name for effect in effects} | {(effect.name, effect.key) for effect in effects}
        named = {
            compensation: compensation if isinstance(compensation, str) else " ".join(compensation)
            for compensation in self.compensations
        }
        return [f"{name} did not happen" for each, name in named.items() if each not in done]

    def __str__(self) -> str:
        return "the runbook is stopped (cancelled)"


def stop(
    compensations: Sequence[Compensation] = (), *, within: float | timedelta = 10.0, status: str = "canceled"
) -> StopDrill:
    """The runbook is cancelled, ends in time with this status, and compensates what it did.

    Args:
        compensations: Effects that must happen after the cancellation, by name or as (name, key).
        within: Seconds in which it must end.
        status: How it ends: a runbook that handles the cancellation may also end `completed` or `failed`.

    Raises:
        ScenarioInvalid: An argument is invalid.
    """
    if status not in STATUSES:
        raise ScenarioInvalid(f"unknown status {status!r}", hint=f"statuses: {', '.join(STATUSES)}")
    if isinstance(compensations, (str, bytes)):
        raise ScenarioInvalid(f"compensations must be a list of names or (name, key), not {compensations!r}")
    return StopDrill(tuple(compensations), seconds(within, "stop(within=...)"), status)


@dataclass(frozen=True)
class Terminate:
    """The runbook is terminated."""

    lane: ClassVar[str] = "drill"

    async def begin(self, context: RunContext, trigger: TriggerEvent) -> Coroutine[Any, Any, None]:
        """Terminate the runbook; the rest checks that all of it has ended."""
        await Operator(context).terminate()
        return self._rest(context)

    async def _rest(self, context: RunContext) -> None:
        operator = Operator(context)
        status = await operator.closed(ANSWER_SECONDS)
        problem = [] if status == "terminated" else [f"it is {status or 'still open'}"]
        problem += [f"its child workflow {child} is still open" for child in await left_open(operator)]
        evidence = "; ".join(problem) or "it is terminated, and no child workflow is open"
        context.judgements.append(Judgement(str(self), "fail" if problem else "pass", evidence, problem))

    def __str__(self) -> str:
        return "the runbook is terminated"


def terminate() -> Terminate:
    """The runbook is terminated: it ends at once without compensation, and leaves no child workflow open."""
    return Terminate()
