"""Judges what no expectation does: a runbook that fails, never ends, or repeats an effect must not pass unnoticed."""

from __future__ import annotations

from collections.abc import Sequence

from ..expect.effects import EffectCount, EffectOrder, describe_duplicate
from ..scenario.result import Judgement, RehearsalRun
from ..scenario.scenario import Expectation
from .metrics import RunMetrics

SUSPICIOUS = ("failed", "timed out", "lost")


def unjudged(run: RehearsalRun, expect: Sequence[Expectation], *, ends: bool = True) -> list[Judgement]:
    """What no expectation reports: the run has not ended, or has ended badly; an effect was repeated.

    Without `ends` the runbook need not end: a person or a facilitator ended the run.
    Expectations that judge the end have `judges_end = True`. Drills judge the ends that they cause (cancel, terminate).
    """
    return [*(_end(run, expect) if ends else ()), *_repeated_effects(run, expect)]


def _repeated_effects(run: RehearsalRun, expect: Sequence[Expectation]) -> list[Judgement]:
    """Effects that happened more than once, of a name that no expectation judges: nobody has said that they may."""
    counted = {expectation.name for expectation in expect if isinstance(expectation, EffectCount)}
    for expectation in expect:
        if isinstance(expectation, EffectOrder):  # it says which repetitions are out of order
            counted |= {item if isinstance(item, str) else item[0] for item in expectation.items}
    found = [duplicate for duplicate in RunMetrics.of(run).duplicates if duplicate.name not in counted]
    names = list(dict.fromkeys(duplicate.name for duplicate in found))
    return [
        Judgement(
            f"{name} exactly once",
            "unknown",
            f"{'; '.join(describe_duplicate(item) for item in found if item.name == name)}; no expectation allows it: "
            f"add expect.exactly_once({name!r}), or expect.at_least_once({name!r}) if it may be repeated",
        )
        for name in names
    ]


def _end(run: RehearsalRun, expect: Sequence[Expectation]) -> list[Judgement]:
    if any(getattr(expectation, "judges_end", False) for expectation in expect):
        return []
    if run.status == "running":
        return [Judgement("the runbook ends", "fail", run.failure or "it did not end")]
    if run.status in SUSPICIOUS:
        hint = "add expect.completes() or expect.fails()"
        return [Judgement("the runbook completes", "unknown", f"it is {run.status}: {run.failure}; {hint}")]
    return []
