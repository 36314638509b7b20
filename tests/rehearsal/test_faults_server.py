"""Faults of the server's process: each on a runbook that survives it and on one that does not."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from devserver.rehearsal import at, expect, faults
from devserver.rehearsal.look import Look
from devserver.rehearsal.scenario import Action
from tests.rehearsal.conftest import Hold, Stand, scene

STARTS = at.activity_starts("step", nth=2)
ONCE = [expect.completes(), expect.exactly_once("step", "one", "two", "three"), expect.replays()]
FAULTS = [(faults.kill_server, "killed"), (faults.stop_server, "stopped"), (faults.freeze_server, "frozen")]


@pytest.mark.parametrize(("fault", "ended"), FAULTS, ids=lambda value: getattr(value, "__name__", str(value)))
def test_a_sure_runbook_survives(hold: Hold, fault: Callable[[float], Action], ended: str) -> None:
    """It goes on where it was when the server is back; the timeline shows the outage."""
    result = hold(scene("steps", "Sure", STARTS.do(fault(0.4)), expect=ONCE))
    assert result.verdict == "pass", result.reason
    assert result.run is not None
    first, second = (mark for mark in result.run.marks if mark.lane == "server")
    assert first.detail["ended"] == ended
    assert first.until is not None
    assert second.at - first.until >= 0.4


@pytest.mark.parametrize(("fault", "ended"), FAULTS, ids=lambda value: getattr(value, "__name__", str(value)))
def test_a_runbook_in_a_hurry_fails(hold: Hold, fault: Callable[[float], Action], ended: str) -> None:
    """One that allows itself 0.7 s does not survive an outage that takes longer."""
    result = hold(scene("steps", "Punctual", STARTS.do(fault(0.8))))
    assert result.verdict == "fail"
    assert "too late" in result.reason


def test_outages_come_one_after_the_other(hold: Hold) -> None:
    """A second one waits for the first one's end, so that both are what the plan says."""
    plan = STARTS.do(faults.kill_server(down=0.2), faults.freeze_server(0.2), faults.stop_server(down=0.2))
    result = hold(scene("steps", "Sure", plan, expect=ONCE))
    assert result.verdict == "pass", result.reason
    assert result.run is not None
    ends = [mark.detail["ended"] for mark in result.run.marks if mark.lane == "server" and "ended" in mark.detail]
    assert ends == ["killed", "frozen", "stopped"]


@pytest.mark.parametrize(("fault", "ended"), FAULTS, ids=lambda value: getattr(value, "__name__", str(value)))
def test_an_outage_ends_with_the_rehearsal(
    hold: Hold, stand: Stand, fault: Callable[[float], Action], ended: str
) -> None:
    """An hour of it is broken off at the runbook's limit; the next run finds the server well."""
    host = stand.host
    result = hold(scene("steps", "Sure", STARTS.do(fault(3600)), limit=1))
    assert result.verdict == "fail"
    assert "it had not ended after 1 s" in result.reason
    assert hold(scene("steps", "Sure")).verdict == "pass"
    assert stand.host is host


def test_a_server_that_was_ended_by_others_cannot_be_frozen(hold: Hold, stand: Stand) -> None:
    """A step says why it was not done; that the server ended by itself is a finding, and fails the rehearsal."""
    host = stand.host

    def killed(look: Look) -> bool:
        if look.effects:
            host.server.kill()
        return bool(look.effects)

    dead = at.when(killed, name="somebody kills the server")
    result = hold(scene("steps", "Slow", dead.do(faults.freeze_server(1)), limit=1.5, expect=[]))
    assert result.verdict == "fail"
    assert "the server lives: it ended by itself" in result.reason
    assert result.run is not None
    assert result.run.done[0].trouble == "the server is down already"
