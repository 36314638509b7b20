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
def test_a_careful_runbook_survives(rehearse: Rehearse, fault: Action, what: str) -> None:
    """Retried steps survive network faults, and the timeline shows them."""
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
def test_a_step_with_a_short_timeout_fails(rehearse: Rehearse, way: str) -> None:
    """A result that arrives too late fails the step with a schedule-to-close timeout."""
    result = rehearse(scene("steps", "Hasty", STARTS.do(faults.cut_network(1.5, way=way))))
    assert result.verdict == "fail"
    assert "activity ScheduleToClose timeout" in result.reason


def test_directions_differ(rehearse: Rehearse) -> None:
    """If only the direction to the worker is cut, the same step's result arrives in time."""
    result = rehearse(scene("steps", "Hasty", STARTS.do(faults.cut_network(1.5, way="to_client"))))
    assert result.verdict == "pass", result.reason


@pytest.mark.parametrize("fault", [faults.slow_network(0.1), faults.cut_network(0.9, way="to_client")], ids=str)
def test_a_runbook_with_a_short_timeout_fails(rehearse: Rehearse, fault: Action) -> None:
    """A runbook with a timeout of 0.7 s does not survive a slow network."""
    result = rehearse(scene("steps", "Punctual", at.activity_starts("step").do(fault)))
    assert result.verdict == "fail"
    assert "too late" in result.reason


def test_a_call_without_retries_does_not_survive_a_reset(rehearse: Rehearse) -> None:
    """Connections are reset during a call that waits for the server."""
    listens = at.when(lambda view: bool(view.effects), "it listens")
    result = rehearse(scene("steps", "Listens", listens.do(faults.reset_network())))
    assert result.verdict == "fail"
    assert "RPCError" in result.reason


def test_a_cut_network_is_restored_with_the_rehearsal(rehearse: Rehearse, stand: Stand) -> None:
    """An hour's cut ends at the runbook's limit; the next run has an intact network."""
    environment = stand.environment
    plan = STARTS.do(faults.cut_network(3600), faults.slow_network(0.3))
    assert rehearse(scene("steps", "Sure", plan, limit=1)).verdict == "fail"
    assert rehearse(scene("steps", "Sure")).verdict == "pass"
    assert stand.environment is environment
    assert {road.delay for road in environment.proxy._links.values()} == {0}


def test_a_slow_network_does_not_prolong_the_rehearsal(rehearse: Rehearse) -> None:
    """When the runbook completes, the rehearsal ends without waiting for the end of the fault."""
    result = rehearse(scene("steps", "Sure", STARTS.do(faults.slow_network(0.01, for_=3600))))
    assert result.verdict == "pass", result.reason


def test_the_network_is_cut_until_the_last_fault_ends(rehearse: Rehearse) -> None:
    """The end of the shorter of two cuts does not restore the network."""
    plan = STARTS.do(faults.cut_network(1.5), faults.cut_network(0.1, way="to_server"))
    result = rehearse(scene("steps", "Hasty", plan))
    assert result.verdict == "fail"
    assert "activity ScheduleToClose timeout" in result.reason
