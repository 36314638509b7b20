"""The drill that ends the runbook without asking it."""

from __future__ import annotations

from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any, ClassVar

from ..environment.run_context import Stage
from ..scenario.events import Cue
from ..scenario.result import Finding
from ._children import left_open
from ._operator import ANSWER_SECONDS, Operator


@dataclass(frozen=True)
class Terminate:
    """The runbook is terminated."""

    lane: ClassVar[str] = "drill"

    async def begin(self, stage: Stage, cue: Cue) -> Coroutine[Any, Any, None]:
        """Terminate it; the rest looks whether all of it has ended."""
        await Operator(stage).terminate()
        return self._rest(stage)

    async def _rest(self, stage: Stage) -> None:
        operator = Operator(stage)
        status = await operator.closed(ANSWER_SECONDS)
        trouble = [] if status == "terminated" else [f"it is {status or 'still open'}"]
        trouble += [f"its child workflow {child} still runs" for child in await left_open(operator)]
        evidence = "; ".join(trouble) or "it is terminated, and so are its children, if it had any"
        stage.findings.append(Finding(str(self), "fail" if trouble else "pass", evidence, trouble))

    def __str__(self) -> str:
        return "the runbook is terminated"


def terminate() -> Terminate:
    """The runbook is terminated: it ends at once, takes nothing back, and leaves no child workflow running."""
    return Terminate()
