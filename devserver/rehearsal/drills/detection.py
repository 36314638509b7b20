"""The drill that looks how long it takes until `devserver stuck` sees what is stuck."""

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
from ..faults._numbers import seconds
from ..scenario.events import TriggerEvent
from ..scenario.plan import Action
from ..scenario.result import Judgement
from ..scenario.scenario import Scenario

LOOK_SECONDS = 0.1


@dataclass(frozen=True)
class Detect:
    """Something that is stuck is seen soon."""

    within: float
    kind: str | None
    thresholds: Thresholds = field(repr=False)
    then: Action | None
    lane: ClassVar[str] = "drill"

    def check(self, scenario: Scenario) -> None:
        """What comes then can be known to be possible."""
        check = getattr(self.then, "check", None)
        if check is not None:
            check(scenario)

    async def begin(self, context: RunContext, trigger: TriggerEvent) -> Coroutine[Any, Any, None]:
        """The clock runs from now on."""
        return self._rest(context, trigger, context.timeline.now())

    async def _rest(self, context: RunContext, trigger: TriggerEvent, began: float) -> None:
        seen, blind = None, ""
        while seen is None and context.timeline.now() - began < self.within and not context.over.is_set():
            try:
                left = began + self.within - context.timeline.now()
                seen = self._seen(await within(left, self._inspect(context)))
            except (CannotAsk, asyncio.TimeoutError) as error:
                blind = f"; the last look did not succeed: {error or 'no answer'}"
            await context.lasts(0 if seen else LOOK_SECONDS)
        context.judgements.append(self._found(seen, blind, context.timeline.now() - began, over=context.over.is_set()))
        if self.then is not None:
            rest = await self.then.begin(context, trigger)
            if rest is not None:
                await rest

    async def _inspect(self, context: RunContext) -> StuckReport:
        return await find_stuck(context.client, workflow_id=context.workflow_id, thresholds=self.thresholds)

    def _seen(self, report: StuckReport) -> Stuck | None:
        return next((each for each in report.findings if self.kind in (None, each.kind)), None)

    def _found(self, seen: Stuck | None, blind: str, took: float, *, over: bool) -> Judgement:
        if seen is not None:
            return Judgement(str(self), "pass", f"{seen.kind} seen after {took:.2f} s: {seen.what}", [seen.hint])
        ended = ": then the runbook had ended, or its time was up" if over else ""
        what = f"{self.kind} was not seen" if self.kind else "nothing that is stuck was seen"
        return Judgement(str(self), "fail", f"{what} in {took:.2f} s{ended}{blind}")

    def __str__(self) -> str:
        return f"devserver stuck sees {self.kind or 'what is stuck'} within {self.within:g} s"


def detect(
    within: float | timedelta,
    kind: str | None = None,
    *,
    thresholds: Thresholds | None = None,
    then: Action | None = None,
) -> Detect:
    """From this moment on, `devserver stuck` is asked until it tells that the runbook is stuck.

    Args:
        within: How long that may take.
        kind: What it must tell, as `activity_retrying`; None: anything.
        thresholds: From when on something counts as stuck; None: those of `devserver stuck`.
        then: What the operator does when it is seen, or at the end of the time: `drills.stop()`.

    Raises:
        ScenarioInvalid: There is no such kind, or the limit is no time.
    """
    if kind is not None and kind not in KINDS:
        raise ScenarioInvalid(f"devserver stuck tells of no {kind!r}", hint=f"it tells of {', '.join(KINDS)}")
    return Detect(seconds(within, "detect(within=...)"), kind, thresholds or Thresholds(), then)
