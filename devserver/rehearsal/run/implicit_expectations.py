"""What is to be said of a run's end where no expectation does: a runbook that fails or never ends is no pass unseen."""

from __future__ import annotations

from collections.abc import Sequence

from ..scenario.result import Judgement, RehearsalRun
from ..scenario.scenario import Expectation

SUSPICIOUS = ("failed", "timed out", "lost")


def unjudged(run: RehearsalRun, expect: Sequence[Expectation]) -> list[Judgement]:
    """What no expectation would tell: it has not ended, or it ended badly.

    One that judges the end has `judges_end = True`. An end that an operator makes (cancel, terminate) is what a drill
    judges.
    """
    if any(getattr(each, "judges_end", False) for each in expect):
        return []
    if run.status == "running":
        return [Judgement("the runbook ends", "fail", run.failure or "it had not ended")]
    if run.status in SUSPICIOUS:
        hint = "expect.completes() or expect.fails() would say whether it should"
        return [Judgement("the runbook completes", "unknown", f"it is {run.status}: {run.failure}; {hint}")]
    return []
