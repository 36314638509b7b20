"""Verdicts of scenarios with few expectations: a problem that no expectation covers is not a pass."""

from __future__ import annotations

import pytest

from devserver.rehearsal import at, expect, faults

from ..conftest import Rehearse, scene

FEW = [expect.log_free_of("a line that no server logs")]


def test_a_scenario_without_expectations_is_not_a_pass(rehearse: Rehearse) -> None:
    """Nothing was checked, so the verdict is not a pass, and the reason says what to write."""
    result = rehearse(scene("steps", "OneSure", expect=[]))
    assert result.verdict == "unknown"
    assert "expect=[expect.completes()]" in result.reason


def test_a_runbook_that_never_ends_fails(rehearse: Rehearse) -> None:
    """A runbook that never ends fails, even if all expectations are met."""
    result = rehearse(scene("steps", "Slow", expect=FEW, limit=0.5))
    assert result.verdict == "fail"
    assert "the runbook ends: it did not end within 0.5 s" in result.reason


@pytest.mark.parametrize(("more", "verdict"), [([], "unknown"), ([expect.fails()], "pass")])
def test_a_runbook_that_fails_is_not_a_pass_unless_expected(
    rehearse: Rehearse, more: list[object], verdict: str
) -> None:
    """An unexpected failure is reported, with the expectation to write."""
    once = at.activity_starts("step").do(faults.fail_activity())
    result = rehearse(scene("steps", "Brittle", once, expect=[*FEW, *more]))
    assert result.verdict == verdict, result.reason
    assert verdict == "pass" or "it is failed: " in result.reason
    assert verdict == "pass" or "expect.fails()" in result.reason


@pytest.mark.parametrize(
    ("more", "verdict"),
    [([], "unknown"), ([expect.at_least_once("step")], "pass"), ([expect.exactly_once("step")], "fail")],
)
def test_a_repeated_effect_passes_only_if_an_expectation_allows_it(
    rehearse: Rehearse, more: list[object], verdict: str
) -> None:
    """A step that acts twice is unknown while no expectation counts it; the reason names both expectations."""
    step = at.activity_completes("careless_step").do(faults.lose_answer())
    result = rehearse(scene("steps", "OneCareless", step, expect=[expect.completes(), *more]))
    assert result.verdict == verdict, result.judgements
    if verdict == "unknown":
        assert "step one happened 2 times" in result.reason
        assert "add expect.exactly_once('step'), or expect.at_least_once('step')" in result.reason
