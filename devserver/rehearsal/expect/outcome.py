"""Expectations of how a runbook ends."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from ..faults._numbers import seconds
from ..scenario.result import Judgement, RehearsalRun


@dataclass(frozen=True)
class Completes:
    """It completes, and soon enough."""

    within: float | None
    judges_end = True

    def judge(self, run: RehearsalRun) -> Judgement:
        """By its status and how long it took."""
        if run.status != "completed":
            return Judgement(str(self), "fail", f"it is {run.status}: {run.failure}", run.stuck)
        took = run.seconds or 0.0
        late = self.within is not None and took > self.within
        return Judgement(str(self), "fail" if late else "pass", f"it completed after {took:.2f} s")

    def __str__(self) -> str:
        return "completes" if self.within is None else f"completes within {self.within:g} s"


@dataclass(frozen=True)
class SameResult:
    """Its result is that of a run without faults."""

    needs_baseline = True
    judges_end = True

    def judge(self, run: RehearsalRun) -> Judgement:
        """By comparing it with the run that was made first."""
        plain = run.baseline
        if plain is None or plain.status != "completed":
            return Judgement(str(self), "unknown", "the run without faults did not complete")
        if run.status == "completed" and run.output == plain.output:
            return Judgement(str(self), "pass", f"both are {run.output!r}")
        found = repr(run.output) if run.status == "completed" else f"{run.status}: {run.failure}"
        return Judgement(str(self), "fail", f"without faults it is {plain.output!r}, with them {found}")

    def __str__(self) -> str:
        return "the same result as without faults"


def completes(within: float | timedelta | None = None) -> Completes:
    """The runbook completes, within so many seconds of the wall clock if a limit is given."""
    return Completes(None if within is None else seconds(within, "completes(within=...)"))


def same_result() -> SameResult:
    """The result is that of the same runbook without faults, which is run first."""
    return SameResult()
