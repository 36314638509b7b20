"""Judges a run's end if no expectation does: a runbook that fails or never ends must not pass unnoticed."""

from __future__ import annotations

from collections.abc import Sequence

from ..scenario.result import Judgement, RehearsalRun
from ..scenario.scenario import Expectation

SUSPICIOUS = ("failed", "timed out", "lost")


def unjudged(run: RehearsalRun, expect: Sequence[Expectation]) -> list[Judgement]:
    """What no expectation reports: the run has not ended, or has ended badly.

    Expectations that judge the end have `judges_end = True`. Drills judge the ends that they cause (cancel, terminate).
    """
    if any(getattr(expectation, "judges_end", False) for expectation in expect):
        return []
    if run.status == "running":
        return [Judgement("the runbook ends", "fail", run.failure or "it did not end")]
    if run.status in SUSPICIOUS:
        hint = "add expect.completes() or expect.fails()"
        return [Judgement("the runbook completes", "unknown", f"it is {run.status}: {run.failure}; {hint}")]
    return []
