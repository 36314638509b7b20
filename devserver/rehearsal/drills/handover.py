"""The drill that ends the runbook and lets the legacy script do the rest."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, ClassVar, Literal

from .. import ledger
from ..environment.asyncio_compat import within
from ..environment.run_context import RunbookSource, RunContext
from ..errors import ScenarioInvalid
from ..ledger import Effect
from ..run.legacy_script import LegacyScript
from ..scenario.arguments import seconds
from ..scenario.events import TriggerEvent
from ..scenario.result import Judgement
from ..scenario.scenario import Scenario
from .operator import Operator

How = Literal["cancel", "terminate"]


@dataclass(frozen=True)
class HandOver:
    """The runbook is ended, and the legacy script does the rest."""

    legacy_script: LegacyScript | None
    how: How
    within: float
    repeats: Sequence[str] = field(repr=False)
    lane: ClassVar[str] = "drill"

    def check(self, scenario: Scenario) -> None:
        """Check that there is a legacy script."""
        self._script(scenario)

    async def begin(self, context: RunContext, trigger: TriggerEvent) -> Coroutine[Any, Any, None]:
        """End the runbook; the rest runs the legacy script."""
        operator = Operator(context)
        await (operator.cancel() if self.how == "cancel" else operator.terminate())
        return self.rest(context)

    async def rest(self, context: RunContext) -> None:
        """Wait for the runbook's end, run the script, and judge both."""
        operator = Operator(context)
        if await operator.closed(self.within) is None:
            evidence = f"the runbook was still open after {self.within:g} s{await operator.still_open()}"
            context.judgements.append(Judgement(str(self), "fail", f"{evidence}; the legacy script did not start"))
            return
        done = ledger.read(context.ledger)
        mark = context.timeline.note("drill", "the legacy script")
        problem = await self._legacy_script(context)
        context.timeline.end(mark, **({"problem": problem} if problem else {}))
        after = ledger.read(context.ledger, after=len(done))
        found = [*([problem] if problem else []), *self._twice(done, after), *_late(after)]
        evidence = "; ".join(found) or f"the legacy script did the rest: {_listed(after)}"
        context.judgements.append(Judgement(str(self), "fail" if found else "pass", evidence, found))

    async def _legacy_script(self, context: RunContext) -> str:
        """Run the script to its end; returns what went wrong, empty if nothing did."""
        file = context.scenario.file
        try:
            ran = await within(self.within, self._script(context.scenario).run(file and file.parent, context.ledger))
        except asyncio.TimeoutError:
            return f"the legacy script was still running after {self.within:g} s"
        except OSError as error:
            return f"cannot run the legacy script: {error}"
        if ran.code is None:
            return "the legacy script passed its time limit"
        return "" if ran.code == 0 else f"the legacy script exited with code {ran.code}: {' '.join(ran.said[-1:])}"

    def _script(self, scenario: RunbookSource) -> LegacyScript:
        """The drill's own script, or the scenario's."""
        script = self.legacy_script or scenario.legacy_script
        if script is None:
            raise ScenarioInvalid(
                "the plan has drills.hand_over() and the scenario has no legacy_script",
                hint='drills.hand_over(LegacyScript(["python", "by_hand.py"]))',
            )
        return script

    def _twice(self, done: Sequence[Effect], after: Sequence[Effect]) -> list[str]:
        before = {(effect.name, effect.key) for effect in done if effect.name not in self.repeats}
        again = dict.fromkeys((effect.name, effect.key) for effect in after if effect.workflow_id is None)
        return [f"the legacy script repeated {' '.join(effect).rstrip()}" for effect in again if effect in before]

    def __str__(self) -> str:
        return f"the runbook is handed over to the legacy script ({self.how})"


def _late(after: Sequence[Effect]) -> list[str]:
    late = [effect for effect in after if effect.workflow_id is not None]
    return [f"the runbook did {effect.name} {effect.key} after it had ended" for effect in late]


def _listed(effects: Sequence[Effect]) -> str:
    return ", ".join(f"{effect.name} {effect.key}".rstrip() for effect in effects) or "nothing was left"


def hand_over(
    legacy_script: LegacyScript | None = None,
    *,
    how: How = "cancel",
    within: float | timedelta = 30.0,
    repeats: Sequence[str] = (),
) -> HandOver:
    """The runbook is cancelled (or terminated); when it has ended, the legacy script does the rest.

    The drill checks that both end in time, that the script repeats no effect of the runbook, and that the runbook's
    activities do nothing after its end.

    Args:
        legacy_script: The script; None: the scenario's. It gets the runbook's ledger, where it finds what was done.
        how: How the runbook is ended: `cancel` or `terminate`.
        within: Seconds for the runbook to end, and for the script to run.
        repeats: Names of effects that the script may repeat.

    Raises:
        ScenarioInvalid: An argument is of the wrong kind.
    """
    if how not in ("cancel", "terminate"):
        raise ScenarioInvalid(f"hand_over(how=...) takes 'cancel' or 'terminate', not {how!r}")
    if legacy_script is not None and not isinstance(legacy_script, LegacyScript):
        raise ScenarioInvalid(f"hand_over takes a LegacyScript, not {legacy_script!r}")
    return HandOver(legacy_script, how, seconds(within, "hand_over(within=...)"), tuple(repeats))
