"""Verdicts where a scenario expects too little: what nobody asked for is no pass unseen."""

from __future__ import annotations

import pytest

from devserver.rehearsal import at, expect, faults

from ..conftest import Rehearse, scene

FEW = [expect.log_free_of("a line that no server logs")]


def test_a_scenario_that_expects_nothing_shows_nothing(rehearse: Rehearse) -> None:
    """A run that nobody judged is no pass, whatever was done to it; the reason says what to write."""
    result = rehearse(scene("steps", "OneSure", expect=[]))
    assert result.verdict == "unknown"
    assert "expect=[expect.completes()]" in result.reason


def test_a_runbook_that_never_ends_fails(rehearse: Rehearse) -> None:
    """Also where only other things are expected of it, and they are met."""
    result = rehearse(scene("steps", "Slow", expect=FEW, limit=0.5))
    assert result.verdict == "fail"
    assert "the runbook ends: it did not end within 0.5 s" in result.reason


@pytest.mark.parametrize(("more", "verdict"), [([], "unknown"), ([expect.fails()], "pass")])
def test_a_runbook_that_fails_is_no_pass_unless_that_is_expected(
    rehearse: Rehearse, more: list[object], verdict: str
) -> None:
    """Where nothing is expected of its end, its failure is told, and what to expect."""
    once = at.activity_starts("step").do(faults.fail_activity())
    result = rehearse(scene("steps", "Brittle", once, expect=[*FEW, *more]))
    assert result.verdict == verdict, result.reason
    assert verdict == "pass" or "it is failed: " in result.reason
    assert verdict == "pass" or "expect.fails()" in result.reason
