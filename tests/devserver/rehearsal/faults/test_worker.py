"""Faults of the runbook's worker: each on a runbook that survives it and on one that does not."""

from __future__ import annotations

import pytest

from devserver.rehearsal import at, expect, faults
from devserver.rehearsal.scenario.plan import Action, Moment
from tests.devserver.rehearsal.conftest import Rehearse, scene

STARTS = at.activity_starts("step", nth=2)
COMPLETES = at.activity_completes("step", nth=2)
CARELESS = at.activity_completes("careless_step", nth=2)
ONCE = [expect.completes(), expect.exactly_once("step", "one", "two", "three")]


@pytest.mark.parametrize(
    ("moment", "fault"),
    [(STARTS, faults.kill_worker()), (COMPLETES, faults.lose_answer(down=0.2)), (STARTS, faults.freeze_worker(1.0))],
    ids=str,
)
def test_a_sure_runbook_survives(rehearse: Rehearse, moment: Moment, fault: Action) -> None:
    """Steps that are tried again, and that find out what was done, end well whatever the worker suffers."""
    result = rehearse(scene("steps", "Sure", moment.do(fault), expect=ONCE))
    assert result.verdict == "pass", result.reason
    assert result.run is not None
    first, second = (mark for mark in result.run.marks if mark.lane == "worker")
    assert first.detail["ended"] == ("frozen" if "frozen" in str(fault) else "killed")
    assert first.until is not None
    assert second.at > first.until


def test_a_step_that_is_not_tried_again_fails_with_its_worker(rehearse: Rehearse) -> None:
    """Without retries a killed worker is the runbook's end, and the verdict says which timeout it was."""
    result = rehearse(scene("steps", "Brittle", STARTS.do(faults.kill_worker())))
    assert result.verdict == "fail"
    assert "activity StartToClose timeout" in result.reason


def test_a_lost_answer_shows_a_step_that_acts_twice(rehearse: Rehearse) -> None:
    """The server hears nothing of a step that acted, so it acts again: the finding names step, times and attempts."""
    result = rehearse(scene("steps", "Careless", CARELESS.do(faults.lose_answer()), expect=ONCE))
    assert result.verdict == "fail"
    assert "step two happened 2 times in the activity careless_step" in result.reason
    assert "(attempt 1)" in result.reason
    assert "(attempt 2)" in result.reason


def test_a_frozen_worker_shows_a_step_that_acts_twice(rehearse: Rehearse) -> None:
    """An attempt that the server has given up acts when its worker goes on, and so does the next one."""
    start = at.activity_starts("careless_step", nth=2)
    result = rehearse(scene("steps", "Careless", start.do(faults.freeze_worker(1.0)), expect=ONCE))
    assert result.verdict == "fail"
    assert "step two happened 2 times" in result.reason


def test_a_compatible_build_takes_over(rehearse: Rehearse) -> None:
    """The rest of the steps is done by the new build, under its build id."""
    replaced = faults.replace_worker("steps_next", build_id="next")
    result = rehearse(scene("steps", "Sure", COMPLETES.do(replaced), expect=ONCE))
    assert result.verdict == "pass", result.reason
    assert result.run is not None
    assert result.run.output == ["one", "two by the next build", "three by the next build"]
    assert result.run.history is not None
    assert '"buildId": "next"' in result.run.history.to_json()


def test_a_build_id_alone_may_change(rehearse: Rehearse) -> None:
    """The same code goes on under another build id, and a restart later keeps that."""
    kill = at.activity_completes("step", nth=3).do(faults.kill_worker())
    result = rehearse(scene("steps", "Sure", COMPLETES.do(faults.replace_worker(build_id="2")), kill, expect=ONCE))
    assert result.verdict == "pass", result.reason
    assert result.run is not None
    assert result.run.output == ["one", "two", "three"]
    (history,) = result.run.histories
    last = [event for event in history.events if event.HasField("workflow_task_completed_event_attributes")][-1]
    assert last.workflow_task_completed_event_attributes.worker_version.build_id == "2"


def test_a_build_that_is_not_compatible_stops_the_runbook(rehearse: Rehearse) -> None:
    """A workflow whose code was changed under it does not go on, and the limit ends the wait."""
    result = rehearse(scene("steps", "Sure", STARTS.do(faults.replace_worker("steps_changed")), limit=2))
    assert result.verdict == "fail"
    assert "it is running" in result.reason
    assert result.run is not None
    assert any("Nondeterminism" in line for line in result.run.worker_log)


def test_a_build_that_comes_too_late_is_no_pass(rehearse: Rehearse) -> None:
    """The worker was killed, and the runbook's limit passed before the new build was there: that was not rehearsed."""
    late = STARTS.do(faults.replace_worker("steps_next", down=3600))
    result = rehearse(scene("steps", "Sure", late, limit=0.6, expect=[]))
    assert result.verdict != "pass"
    assert result.run is not None
    assert "the runbook ended before the new worker was started" in str(result.run.steps[0].problem)


def test_a_worker_that_is_down_cannot_be_killed(rehearse: Rehearse) -> None:
    """What cannot be done makes the verdict unknown, with the reason, though the runbook completes."""
    plan = STARTS.do(
        faults.kill_worker(down=0.2), faults.kill_worker(), faults.freeze_worker(1), faults.hang_activity()
    )
    result = rehearse(scene("steps", "Sure", plan))
    assert result.verdict == "unknown"
    assert result.reason.count("the worker is already down") == 1
    assert "the worker is already down; the worker is down, and the attempt with it" in result.reason


def test_an_answer_is_lost_only_when_there_is_one(rehearse: Rehearse) -> None:
    """At another moment than an activity's completion the fault is not done, and the verdict says why."""
    result = rehearse(scene("steps", "Sure", STARTS.do(faults.lose_answer())))
    assert result.verdict == "unknown"
    assert "a result can be lost only when an activity completes" in result.reason


def test_a_fault_that_never_happens_is_no_pass(rehearse: Rehearse) -> None:
    """A runbook that completes before the moment has not shown that it survives."""
    result = rehearse(scene("steps", "Sure", at.activity_starts("step", nth=9).do(faults.kill_worker())))
    assert result.verdict == "unknown"
    assert "its moment never came" in result.reason


def test_a_worker_and_its_server_may_die_at_once(rehearse: Rehearse) -> None:
    """As when a machine loses its power: the worker comes back when the server does."""
    plan = STARTS.do(faults.kill_server(down=0.5), faults.kill_worker())
    result = rehearse(scene("steps", "Sure", plan, expect=ONCE))
    assert result.verdict == "pass", result.reason
