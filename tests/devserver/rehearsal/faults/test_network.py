"""Faults of the network between worker and server: each on a runbook that survives it and on one that does not."""

from __future__ import annotations

import pytest

from devserver.rehearsal import at, expect, faults
from devserver.rehearsal.scenario.plan import Action
from tests.devserver.rehearsal.conftest import Rehearse, Stand, scene

STARTS = at.activity_starts("step", nth=2)
ONCE = [expect.completes(), expect.exactly_once("step", "one", "two", "three"), expect.replays()]


@pytest.mark.parametrize(
    ("fault", "what"),
    [
        (faults.cut_network(0.4), "cut"),
        (faults.cut_network(0.4, way="to_server"), "cut to the server"),
        (faults.cut_network(0.4, way="to_client"), "cut to the worker"),
        (faults.slow_network(0.1, for_=0.5), "slow by 0.1 s"),
        (faults.reset_network(), "reset"),
    ],
    ids=lambda value: None if isinstance(value, str) else str(value),
)
def test_a_sure_runbook_survives(rehearse: Rehearse, fault: Action, what: str) -> None:
    """Steps that are tried again do not mind the network, and the timeline shows what it was like."""
    result = rehearse(scene("steps", "Sure", STARTS.do(fault), expect=ONCE))
    assert result.verdict == "pass", result.reason
    assert result.run is not None
    (mark,) = (mark for mark in result.run.marks if mark.lane == "network")
    assert mark.what == what
    if what == "reset":
        assert mark.detail["connections"] > 0
    else:
        assert mark.until is not None
        assert mark.until - mark.at >= 0.4


@pytest.mark.parametrize("way", ["both", "to_server"])
def test_a_step_that_is_given_up_too_early_fails(rehearse: Rehearse, way: str) -> None:
    """An answer that does not get through in time is no answer: the step's schedule-to-close timeout has passed."""
    result = rehearse(scene("steps", "Hasty", STARTS.do(faults.cut_network(1.5, way=way))))
    assert result.verdict == "fail"
    assert "activity ScheduleToClose timeout" in result.reason


def test_one_way_is_not_the_other(rehearse: Rehearse) -> None:
    """Where only the way to the worker is cut, the same step's answer arrives in time."""
    result = rehearse(scene("steps", "Hasty", STARTS.do(faults.cut_network(1.5, way="to_client"))))
    assert result.verdict == "pass", result.reason


@pytest.mark.parametrize("fault", [faults.slow_network(0.1), faults.cut_network(0.9, way="to_client")], ids=str)
def test_a_runbook_in_a_hurry_fails(rehearse: Rehearse, fault: Action) -> None:
    """One that allows itself 0.7 s does not survive a network that takes its time."""
    result = rehearse(scene("steps", "Punctual", at.activity_starts("step").do(fault)))
    assert result.verdict == "fail"
    assert "too late" in result.reason


def test_a_call_that_is_not_made_again_does_not_survive_a_reset(rehearse: Rehearse) -> None:
    """Connections break under a call that waits for the server."""
    listens = at.when(lambda view: bool(view.effects), "it listens")
    result = rehearse(scene("steps", "Listens", listens.do(faults.reset_network())))
    assert result.verdict == "fail"
    assert "RPCError" in result.reason


def test_a_cut_network_is_healed_with_the_rehearsal(rehearse: Rehearse, stand: Stand) -> None:
    """An hour of it is broken off at the runbook's limit; the next run has a sound network."""
    environment = stand.environment
    plan = STARTS.do(faults.cut_network(3600), faults.slow_network(0.3))
    assert rehearse(scene("steps", "Sure", plan, limit=1)).verdict == "fail"
    assert rehearse(scene("steps", "Sure")).verdict == "pass"
    assert stand.environment is environment
    assert {road.delay for road in environment.proxy._links.values()} == {0}


def test_a_slow_network_does_not_keep_the_rehearsal(rehearse: Rehearse) -> None:
    """A runbook that completes has shown that it survives: the rest of the hour is not waited for."""
    result = rehearse(scene("steps", "Sure", STARTS.do(faults.slow_network(0.01, for_=3600))))
    assert result.verdict == "pass", result.reason


def test_the_network_stays_cut_until_the_last_fault_ends(rehearse: Rehearse) -> None:
    """Two cuts at once: the end of the short one does not heal the long one."""
    plan = STARTS.do(faults.cut_network(1.5), faults.cut_network(0.1, way="to_server"))
    result = rehearse(scene("steps", "Hasty", plan))
    assert result.verdict == "fail"
    assert "activity ScheduleToClose timeout" in result.reason
