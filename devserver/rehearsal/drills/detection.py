"""The drill that measures how long `devserver stuck` needs to report a problem."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, ClassVar

from ...errors import CannotAsk
from ...stuck.detector import find_stuck
from ...stuck.findings import KINDS, StuckReport, Thresholds
from ...stuck.findings import Finding as Stuck
from ..environment.asyncio_compat import within
from ..environment.run_context import RunContext
from ..errors import ScenarioInvalid
from ..scenario.arguments import seconds
from ..scenario.events import TriggerEvent
from ..scenario.plan import Action
from ..scenario.result import Judgement
from ..scenario.scenario import Scenario

LOOK_SECONDS = 0.1


@dataclass(frozen=True)
class Detect:
    """`devserver stuck` reports a problem in time."""

    within: float
    kind: str | None
    thresholds: Thresholds = field(repr=False)
    then: Action | None
    lane: ClassVar[str] = "drill"

    def check(self, scenario: Scenario) -> None:
        """Check the action that follows."""
        check = getattr(self.then, "check", None)
        if check is not None:
            check(scenario)

    async def begin(self, context: RunContext, trigger: TriggerEvent) -> Coroutine[Any, Any, None]:
        """Start the clock; the rest waits for the problem."""
        return self._rest(context, trigger, context.timeline.now())

    async def _rest(self, context: RunContext, trigger: TriggerEvent, began: float) -> None:
        seen, blind = None, ""
        while seen is None and context.timeline.now() - began < self.within and not context.over.is_set():
            try:
                left = began + self.within - context.timeline.now()
                seen = self._seen(await within(left, self._inspect(context)))
            except (CannotAsk, asyncio.TimeoutError) as error:
                blind = f"; the last check failed: {error or 'no answer'}"
            await context.lasts(0 if seen else LOOK_SECONDS)
        context.judgements.append(self._found(seen, blind, context.timeline.now() - began, over=context.over.is_set()))
        if self.then is not None:
            rest = await self.then.begin(context, trigger)
            if rest is not None:
                await rest

    async def _inspect(self, context: RunContext) -> StuckReport:
        return await find_stuck(context.client, workflow_id=context.workflow_id, thresholds=self.thresholds)

    def _seen(self, report: StuckReport) -> Stuck | None:
        return next((finding for finding in report.findings if self.kind in (None, finding.kind)), None)

    def _found(self, seen: Stuck | None, blind: str, took: float, *, over: bool) -> Judgement:
        if seen is not None:
            return Judgement(str(self), "pass", f"{seen.kind} reported after {took:.2f} s: {seen.what}", [seen.hint])
        ended = ": then the runbook ended or reached its limit" if over else ""
        what = f"{self.kind} was not reported" if self.kind else "no problem was reported"
        return Judgement(str(self), "fail", f"{what} in {took:.2f} s{ended}{blind}")

    def __str__(self) -> str:
        return f"devserver stuck reports {self.kind or 'a problem'} within {self.within:g} s"


def detect(
    within: float | timedelta,
    kind: str | None = None,
    *,
    thresholds: Thresholds | None = None,
    then: Action | None = None,
) -> Detect:
    """`devserver stuck` reports the runbook as stuck, in time from this moment on.

    Args:
        within: How long that may take.
        kind: The kind of problem, such as `activity_retrying`; None: any.
        thresholds: When something counts as stuck; None: the defaults of `devserver stuck`.
        then: What the operator does then, or when the time is over: `drills.stop()`.

    Raises:
        ScenarioInvalid: The kind or the limit is invalid.
    """
    if kind is not None and kind not in KINDS:
        raise ScenarioInvalid(f"unknown kind of problem {kind!r}", hint=f"kinds: {', '.join(KINDS)}")
    return Detect(seconds(within, "detect(within=...)"), kind, thresholds or Thresholds(), then)
