"""Faults of the runbook's worker: each on a runbook that survives it and on one that does not."""

from __future__ import annotations

import pytest

from devserver.introspection.build_id import build_id
from devserver.rehearsal import at, expect, faults
from devserver.rehearsal.scenario.plan import Action, Moment
from tests.devserver.rehearsal.conftest import RUNBOOKS, Rehearse, scene

STARTS = at.activity_starts("step", nth=2)
COMPLETES = at.activity_completes("step", nth=2)
CARELESS = at.activity_completes("careless_step", nth=2)
ONCE = [expect.completes(), expect.exactly_once("step", "one", "two", "three")]


@pytest.mark.parametrize(
    ("moment", "fault"),
    [(STARTS, faults.kill_worker()), (COMPLETES, faults.lose_answer(down=0.2)), (STARTS, faults.freeze_worker(1.0))],
    ids=str,
)
def test_a_careful_runbook_survives(rehearse: Rehearse, moment: Moment, fault: Action) -> None:
    """Steps that are retried and check what was done complete after every fault of the worker."""
    result = rehearse(scene("steps", "Sure", moment.do(fault), expect=ONCE))
    assert result.verdict == "pass", result.reason
    assert result.run is not None
    first, second = (mark for mark in result.run.marks if mark.lane == "worker")
    assert first.detail["ended"] == ("frozen" if "frozen" in str(fault) else "killed")
    assert first.until is not None
    assert second.at > first.until


def test_a_step_without_retries_fails_with_its_worker(rehearse: Rehearse) -> None:
    """Without retries a killed worker fails the runbook, and the verdict names the timeout."""
    result = rehearse(scene("steps", "Brittle", STARTS.do(faults.kill_worker())))
    assert result.verdict == "fail"
    assert "activity StartToClose timeout" in result.reason


def test_a_lost_result_shows_a_step_that_repeats_its_effect(rehearse: Rehearse) -> None:
    """The server retries a step whose result was lost: the finding names step, times and attempts."""
    result = rehearse(scene("steps", "Careless", CARELESS.do(faults.lose_answer()), expect=ONCE))
    assert result.verdict == "fail"
    assert "step two happened 2 times in the activity careless_step" in result.reason
    assert "(attempt 1)" in result.reason
    assert "(attempt 2)" in result.reason


def test_a_frozen_worker_shows_a_step_that_repeats_its_effect(rehearse: Rehearse) -> None:
    """An attempt that has timed out has its effect when the worker is resumed, and so does the next attempt."""
    start = at.activity_starts("careless_step", nth=2)
    result = rehearse(scene("steps", "Careless", start.do(faults.freeze_worker(1.0)), expect=ONCE))
    assert result.verdict == "fail"
    assert "step two happened 2 times" in result.reason


def test_a_compatible_build_takes_over(rehearse: Rehearse) -> None:
    """The new build runs the remaining steps, with its build id."""
    replaced = faults.replace_worker("steps_next", build_id="next")
    result = rehearse(scene("steps", "Sure", COMPLETES.do(replaced), expect=ONCE))
    assert result.verdict == "pass", result.reason
    assert result.run is not None
    assert result.run.output == ["one", "two by the next build", "three by the next build"]
    assert result.run.history is not None
    assert '"buildId": "next"' in result.run.history.to_json()


def test_a_new_build_id_for_the_same_code(rehearse: Rehearse) -> None:
    """The same code continues with another build id, also after a restart of the worker. Its own is that of
    its files."""
    kill = at.activity_completes("step", nth=3).do(faults.kill_worker())
    result = rehearse(scene("steps", "Sure", COMPLETES.do(faults.replace_worker(build_id="2")), kill, expect=ONCE))
    assert result.verdict == "pass", result.reason
    assert result.run is not None
    assert result.run.output == ["one", "two", "three"]
    (history,) = result.run.histories
    tasks = [event for event in history.events if event.HasField("workflow_task_completed_event_attributes")]
    builds = [task.workflow_task_completed_event_attributes.worker_version.build_id for task in tasks]
    assert (builds[0], builds[-1]) == (build_id([str(RUNBOOKS / "steps.py")]), "2")


def test_an_incompatible_build_blocks_the_runbook(rehearse: Rehearse) -> None:
    """The workflow is not deterministic with the new code, and the limit ends the rehearsal."""
    result = rehearse(scene("steps", "Sure", STARTS.do(faults.replace_worker("steps_changed")), limit=2))
    assert result.verdict == "fail"
    assert "it is running" in result.reason
    assert result.run is not None
    assert any("Nondeterminism" in line for line in result.run.worker_log)


def test_a_late_build_is_not_a_pass(rehearse: Rehearse) -> None:
    """The worker was killed, and the runbook reached its limit before the new build started, so the fault was not
    rehearsed."""
    late = STARTS.do(faults.replace_worker("steps_next", down=3600))
    result = rehearse(scene("steps", "Sure", late, limit=2, expect=[]))
    assert result.verdict != "pass"
    assert result.run is not None
    assert "the runbook ended before the new worker was started" in str(result.run.steps[0].problem)


def test_a_worker_that_is_down_cannot_be_killed(rehearse: Rehearse) -> None:
    """An impossible fault makes the verdict unknown, with the reason, even if the runbook completes."""
    plan = STARTS.do(
        faults.kill_worker(down=0.2), faults.kill_worker(), faults.freeze_worker(1), faults.hang_activity()
    )
    result = rehearse(scene("steps", "Sure", plan))
    assert result.verdict == "unknown"
    assert result.reason.count("the worker is already down") == 1
    assert "the worker is already down; the worker is down, and the attempt with it" in result.reason


def test_a_result_is_lost_only_when_an_activity_completes(rehearse: Rehearse) -> None:
    """At another moment the fault is not possible, and the verdict says why."""
    result = rehearse(scene("steps", "Sure", STARTS.do(faults.lose_answer())))
    assert result.verdict == "unknown"
    assert "a result can be lost only when an activity completes" in result.reason


def test_a_fault_that_never_happens_is_not_a_pass(rehearse: Rehearse) -> None:
    """A runbook that completes before the moment has not shown that it survives the fault."""
    result = rehearse(scene("steps", "Sure", at.activity_starts("step", nth=9).do(faults.kill_worker())))
    assert result.verdict == "unknown"
    assert "its moment never came" in result.reason


def test_worker_and_server_are_killed_together(rehearse: Rehearse) -> None:
    """As in a power cut, the worker is back when the server is."""
    plan = STARTS.do(faults.kill_server(down=0.5), faults.kill_worker())
    result = rehearse(scene("steps", "Sure", plan, expect=ONCE))
    assert result.verdict == "pass", result.reason
