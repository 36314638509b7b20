"""Faults of one attempt of an activity: each on a runbook that survives it and on one that does not."""

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
def test_a_sure_runbook_survives(rehearse: Rehearse, fault: Action, why: str) -> None:
    """An attempt that ends badly is followed by one that ends well."""
    result = rehearse(scene("steps", "Sure", STARTS.do(fault), expect=ONCE))
    assert result.verdict == "pass", result.reason
    assert result.run is not None
    assert max(mark.detail["attempt"] for mark in result.run.marks if mark.lane == "activity") == 2


@pytest.mark.parametrize(("fault", "why"), FAULTS, ids=str)
def test_a_step_that_is_not_tried_again_fails(rehearse: Rehearse, fault: Action, why: str) -> None:
    """Without retries one bad attempt is the runbook's end; the reason is what the server saw."""
    result = rehearse(scene("steps", "Brittle", STARTS.do(fault)))
    assert result.verdict == "fail"
    assert why in result.reason


def test_a_failure_may_be_final(rehearse: Rehearse) -> None:
    """With `retry=False` retries do not help."""
    result = rehearse(scene("steps", "Sure", STARTS.do(faults.fail_activity("no licence", retry=False))))
    assert result.verdict == "fail"
    assert "no licence" in result.reason


def test_a_step_that_fails_after_it_acted_acts_again(rehearse: Rehearse) -> None:
    """A fault at the completion comes after the side effect."""
    acted = at.activity_completes("careless_step", nth=2)
    result = rehearse(scene("steps", "Careless", acted.do(faults.fail_activity()), expect=ONCE))
    assert result.verdict == "fail"
    assert "step two happened 2 times" in result.reason


def test_a_fault_of_an_activity_needs_one(rehearse: Rehearse) -> None:
    """At a moment where no activity waits it cannot be done, and the verdict says where to plan it."""
    result = rehearse(scene("steps", "Sure", at.event("ActivityTaskCompleted").do(faults.hang_activity())))
    assert result.verdict == "unknown"
    assert "no activity waits at this moment: event 7 ActivityTaskCompleted" in result.reason


def test_an_attempt_goes_on_in_one_way_only(rehearse: Rehearse) -> None:
    """Two orders for one attempt contradict each other: the second is not done, and the verdict says so."""
    result = rehearse(scene("steps", "Sure", STARTS.do(faults.fail_activity(), faults.hang_activity())))
    assert result.verdict == "unknown"
    assert "another fault of the plan already controls this attempt" in result.reason


def test_an_attempt_whose_worker_is_dead_takes_no_order(rehearse: Rehearse) -> None:
    """A killed worker's attempt cannot fail in any other way."""
    result = rehearse(scene("steps", "Sure", STARTS.do(faults.kill_worker(), faults.fail_activity())))
    assert result.verdict == "unknown"
    assert "the worker is down, and the attempt with it" in result.reason
