"""Faults of an activity attempt: each on a runbook that survives it and on one that does not."""

from __future__ import annotations

import pytest

from devserver.rehearsal import at, expect, faults
from devserver.rehearsal.scenario.plan import Action
from tests.devserver.rehearsal.conftest import Rehearse, scene

STARTS = at.activity_starts("step", nth=2)
ONCE = [expect.completes(), expect.exactly_once("step", "one", "two", "three"), expect.replays()]
FAULTS = [
    (faults.fail_activity("the disk is gone"), "the disk is gone"),
    (faults.hang_activity(), "activity StartToClose timeout"),
    (faults.slow_activity(by=1.0), "activity StartToClose timeout"),
]


@pytest.mark.parametrize(("fault", "why"), FAULTS, ids=str)
def test_a_careful_runbook_survives(rehearse: Rehearse, fault: Action, why: str) -> None:
    """A failed attempt is followed by a successful one."""
    result = rehearse(scene("steps", "Sure", STARTS.do(fault), expect=ONCE))
    assert result.verdict == "pass", result.reason
    assert result.run is not None
    assert max(mark.detail["attempt"] for mark in result.run.marks if mark.lane == "activity") == 2


@pytest.mark.parametrize(("fault", "why"), FAULTS, ids=str)
def test_a_step_without_retries_fails(rehearse: Rehearse, fault: Action, why: str) -> None:
    """Without retries, one failed attempt fails the runbook, with the server's reason."""
    result = rehearse(scene("steps", "Brittle", STARTS.do(fault)))
    assert result.verdict == "fail"
    assert why in result.reason


def test_a_failure_may_be_final(rehearse: Rehearse) -> None:
    """With `retry=False` the activity is not retried."""
    result = rehearse(scene("steps", "Sure", STARTS.do(faults.fail_activity("no licence", retry=False))))
    assert result.verdict == "fail"
    assert "no licence" in result.reason


def test_a_step_that_fails_after_its_effect_repeats_it(rehearse: Rehearse) -> None:
    """A fault at the completion comes after the side effect."""
    acted = at.activity_completes("careless_step", nth=2)
    result = rehearse(scene("steps", "Careless", acted.do(faults.fail_activity()), expect=ONCE))
    assert result.verdict == "fail"
    assert "step two happened 2 times" in result.reason


def test_an_activity_fault_needs_an_activity(rehearse: Rehearse) -> None:
    """At a moment without an activity the fault is not possible, and the verdict says where to plan it."""
    result = rehearse(scene("steps", "Sure", at.event("ActivityTaskCompleted").do(faults.hang_activity())))
    assert result.verdict == "unknown"
    assert "no activity waits at this moment: event 7 ActivityTaskCompleted" in result.reason


def test_an_attempt_has_one_fault(rehearse: Rehearse) -> None:
    """A second fault of the same attempt is not possible, and the verdict says so."""
    result = rehearse(scene("steps", "Sure", STARTS.do(faults.fail_activity(), faults.hang_activity())))
    assert result.verdict == "unknown"
    assert "another fault of the plan already controls this attempt" in result.reason


def test_an_attempt_of_a_killed_worker_has_no_other_fault(rehearse: Rehearse) -> None:
    """The attempt of a killed worker cannot fail in another way."""
    result = rehearse(scene("steps", "Sure", STARTS.do(faults.kill_worker(), faults.fail_activity())))
    assert result.verdict == "unknown"
    assert "the worker is down, and the attempt with it" in result.reason
