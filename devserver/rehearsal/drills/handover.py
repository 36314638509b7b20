"""The drill that ends the runbook and has the old way go on from where it was."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, ClassVar, Literal, Protocol

from .. import ledger
from ..environment.asyncio_compat import within
from ..environment.run_context import RunbookSource, RunContext
from ..errors import ScenarioInvalid
from ..faults._numbers import seconds
from ..ledger import Effect
from ..run.legacy_script import ScriptRun
from ..scenario.events import TriggerEvent
from ..scenario.result import Judgement
from ..scenario.scenario import Scenario
from .operator import Operator

How = Literal["cancel", "terminate"]


class OldWay(Protocol):
    """How the runbook's work was done before; a `LegacyScript` is one."""

    async def run(self, folder: Path | None, ledger_file: Path) -> ScriptRun:
        """Do what is left, in that folder and with that ledger, which holds what the runbook has done."""
        ...


@dataclass(frozen=True)
class HandOver:
    """The runbook is ended, and the old way goes on."""

    old_way: OldWay | None
    how: How
    within: float
    repeats: Sequence[str] = field(repr=False)
    lane: ClassVar[str] = "drill"

    def check(self, scenario: Scenario) -> None:
        """There is an old way."""
        self._script(scenario)

    async def begin(self, context: RunContext, trigger: TriggerEvent) -> Coroutine[Any, Any, None]:
        """End the runbook; the rest runs the old way."""
        operator = Operator(context)
        await (operator.cancel() if self.how == "cancel" else operator.terminate())
        return self._rest(context)

    async def _rest(self, context: RunContext) -> None:
        operator = Operator(context)
        if await operator.closed(self.within) is None:
            evidence = f"it had not ended {self.within:g} s after it was told to{await operator.still_open()}"
            context.findings.append(Judgement(str(self), "fail", f"{evidence}; the old way was not begun"))
            return
        done = ledger.read(context.ledger)
        mark = context.timeline.note("drill", "the old way")
        trouble = await self._old_way(context)
        context.timeline.end(mark, **({"trouble": trouble} if trouble else {}))
        after = ledger.read(context.ledger, after=len(done))
        found = [*([trouble] if trouble else []), *self._twice(done, after), *_meddled(after)]
        evidence = "; ".join(found) or f"the old way did the rest: {_listed(after)}"
        context.findings.append(Judgement(str(self), "fail" if found else "pass", evidence, found))

    async def _old_way(self, context: RunContext) -> str:
        """Run it to its end; what is wrong with how it ended."""
        file = context.scenario.file
        try:
            ran = await within(self.within, self._script(context.scenario).run(file and file.parent, context.ledger))
        except asyncio.TimeoutError:
            return f"the old way had not ended after {self.within:g} s"
        except OSError as error:
            return f"the old way cannot be run: {error}"
        if ran.code is None:
            return "the old way did not end within its limit"
        return "" if ran.code == 0 else f"the old way exited with {ran.code}: {' '.join(ran.said[-1:])}"

    def _script(self, scenario: RunbookSource) -> OldWay:
        """Its own, or the scenario's."""
        script = self.old_way or scenario.old_way
        if script is None:
            raise ScenarioInvalid(
                "the plan hands over to an old way that nobody names",
                hint='drills.hand_over(LegacyScript(["python", "by_hand.py"]))',
            )
        return script

    def _twice(self, done: Sequence[Effect], after: Sequence[Effect]) -> list[str]:
        before = {(effect.name, effect.key) for effect in done if effect.name not in self.repeats}
        again = dict.fromkeys((effect.name, effect.key) for effect in after if effect.workflow_id is None)
        return [f"the old way did {' '.join(each).rstrip()} again" for each in again if each in before]

    def __str__(self) -> str:
        return f"the runbook is handed over to the old way ({self.how})"


def _meddled(after: Sequence[Effect]) -> list[str]:
    meddled = [effect for effect in after if effect.workflow_id is not None]
    return [f"the runbook did {effect.name} {effect.key} after it had ended" for effect in meddled]


def _listed(effects: Sequence[Effect]) -> str:
    return ", ".join(f"{effect.name} {effect.key}".rstrip() for effect in effects) or "nothing was left"


def hand_over(
    old_way: OldWay | None = None, *, how: How = "cancel", within: float | timedelta = 30.0, repeats: Sequence[str] = ()
) -> HandOver:
    """The runbook is cancelled (or terminated), and when it has ended the old way does the rest.

    `old_way` is a `LegacyScript`; None: the scenario's. It gets the runbook's ledger, where it finds what was done.
    That both of them end in time is checked, that the old way does nothing again that was done (but for the effects
    named in `repeats`), and that the runbook's activities do nothing after its end.

    Raises:
        ScenarioInvalid: `old_way` is no script, `how` is neither, or the limit is no time.
    """
    if how not in ("cancel", "terminate"):
        raise ScenarioInvalid(f"a runbook is handed over by 'cancel' or 'terminate', not by {how!r}")
    if old_way is not None and not callable(getattr(old_way, "run", None)):
        raise ScenarioInvalid(f"the old way is a LegacyScript, not {old_way!r}")
    return HandOver(old_way, how, seconds(within, "hand_over(within=...)"), tuple(repeats))
