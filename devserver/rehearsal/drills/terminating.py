"""The drill that ends the runbook without asking it."""

from __future__ import annotations

from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any, ClassVar

from ..environment.run_context import RunContext
from ..scenario.events import TriggerEvent
from ..scenario.result import Judgement
from ._children import left_open
from ._operator import ANSWER_SECONDS, Operator


@dataclass(frozen=True)
class Terminate:
    """The runbook is terminated."""

    lane: ClassVar[str] = "drill"

    async def begin(self, context: RunContext, trigger: TriggerEvent) -> Coroutine[Any, Any, None]:
        """Terminate it; the rest looks whether all of it has ended."""
        await Operator(context).terminate()
        return self._rest(context)

    async def _rest(self, context: RunContext) -> None:
        operator = Operator(context)
        status = await operator.closed(ANSWER_SECONDS)
        trouble = [] if status == "terminated" else [f"it is {status or 'still open'}"]
        trouble += [f"its child workflow {child} still runs" for child in await left_open(operator)]
        evidence = "; ".join(trouble) or "it is terminated, and so are its children, if it had any"
        context.findings.append(Judgement(str(self), "fail" if trouble else "pass", evidence, trouble))

    def __str__(self) -> str:
        return "the runbook is terminated"


def terminate() -> Terminate:
    """The runbook is terminated: it ends at once, takes nothing back, and leaves no child workflow running."""
    return Terminate()
