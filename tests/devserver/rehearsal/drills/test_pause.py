"""Drills that pause and resume a runbook."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import History, HistoryEvent
from temporalio.api.workflowservice.v1 import DescribeWorkflowExecutionResponse

from devserver.rehearsal import Result, at, drills
from devserver.rehearsal.drills.pause import _started
from devserver.rehearsal.errors import ScenarioInvalid
from devserver.rehearsal.run.metrics import RunMetrics
from devserver.rehearsal.scenario.preflight import check
from devserver.rehearsal.scenario.result import Judgement
from tests.devserver.rehearsal.conftest import Rehearse, scene

SECOND = at.activity_starts("add", nth=2)


def finding(result: Result, name: str) -> Judgement:
    """Return the finding whose name contains the text."""
    return next(judgement for judgement in result.judgements if name in judgement.name)


def test_pause(rehearse: Rehearse) -> None:
    """A paused runbook starts nothing, and continues after the pause, which does not count as idle time."""
    result = rehearse(scene("tended", "Tended", SECOND.do(drills.pause(for_=0.8))))
    assert result.verdict == "pass", result.reason
    assert finding(result, "paused for 0.8 s").evidence == "nothing started while it was paused"
    assert result.run is not None
    third = [mark for mark in result.run.marks if mark.lane == "activity"][2]
    resumed = next(mark for mark in result.run.marks if mark.what == "WorkflowExecutionUnpaused")
    assert third.at > resumed.at
    drill = next(mark for mark in result.run.marks if mark.lane == "drill")
    assert drill.until is not None
    assert drill.until - drill.at > 0.8
    assert RunMetrics.of(result.run).idle < 0.8


def test_pause_does_not_pause_children(rehearse: Rehearse) -> None:
    """If a child starts an activity while its parent is paused, the drill fails and names the activity."""
    result = rehearse(scene("tended", "Delegating", SECOND.do(drills.pause(for_=1))))
    assert result.verdict == "fail"
    assert "add of the workflow" in finding(result, "paused").evidence


def test_resume_at_another_moment(rehearse: Rehearse) -> None:
    """Nothing starts between a pause and a resume at a later moment."""
    paused = at.when(lambda view: any(mark.what == "WorkflowExecutionPaused" for mark in view.marks), "it is paused")
    result = rehearse(scene("tended", "Tended", SECOND.do(drills.pause()), paused.do(drills.resume())))
    assert result.verdict == "pass", result.reason
    assert finding(result, "is resumed").verdict == "pass"


def test_paused_twice(rehearse: Rehearse) -> None:
    """Pausing a paused runbook is not possible: the verdict is unknown, with the reason."""
    result = rehearse(scene("tended", "Tended", SECOND.do(drills.pause(for_=0.3), drills.pause())))
    assert result.verdict == "unknown"
    assert "already paused" in result.reason


def test_update_of_a_paused_runbook(rehearse: Rehearse) -> None:
    """The server rejects updates of a paused workflow, and the drill does not pass."""
    result = rehearse(scene("tended", "Tended", SECOND.do(drills.pause(for_=0.3), drills.update("set_target", 4))))
    assert result.verdict == "unknown"
    assert "the runbook is paused: the server refuses every update" in result.reason


def test_pause_a_closed_runbook(rehearse: Rehearse) -> None:
    """A closed runbook cannot be paused: the verdict is unknown."""
    ended = at.event("WorkflowExecutionCompleted")
    result = rehearse(scene("tended", "Tended", ended.do(drills.pause(for_=0.1))))
    assert result.verdict == "unknown"
    assert "ended before the drill could begin" in result.reason


def test_resume_without_pause() -> None:
    """A plan with a resume and no pause is refused before anything is started."""
    with pytest.raises(ScenarioInvalid, match="has no step before"):
        check(scene("tended", "Tended", SECOND.do(drills.resume())))


def test_pause_beyond_the_limit() -> None:
    """A pause longer than the rehearsal's limit is refused before the start; virtual time does not count."""
    night = SECOND.do(drills.pause(for_=timedelta(hours=8)))
    with pytest.raises(ScenarioInvalid, match=r"paused for 8:00:00, but the limit of .* is 20 s") as caught:
        check(scene("tended", "Tended", night))
    assert "time_skipping=True" in str(caught.value.hint)
    check(scene("tended", "Tended", night, time_skipping=True))


@pytest.mark.parametrize("wrong", [-1, timedelta(seconds=-1), "long", float("nan")])
def test_invalid_times(wrong: object) -> None:
    """An invalid time is an error where the scenario is written."""
    with pytest.raises(ScenarioInvalid, match=r"pause\(for_"):
        drills.pause(wrong)  # type: ignore[arg-type]


class PausedWorkflow:
    """A handle of a paused workflow in which something starts nevertheless."""

    def __init__(self, *started: int, pending: int | None = None) -> None:
        self._started = started
        self._pending = pending

    async def history(self) -> History:
        """Return a history with a pause at 10 s and activities started at the given times."""
        paused = HistoryEvent(event_type=EventType.EVENT_TYPE_WORKFLOW_EXECUTION_PAUSED)
        events = [HistoryEvent(event_type=EventType.EVENT_TYPE_ACTIVITY_TASK_STARTED) for _ in self._started]
        for event, second in zip([*events, paused], [*self._started, 10], strict=True):
            event.event_time.FromSeconds(second)
        return History(events=[*events, paused])

    async def describe(self) -> DescribeWorkflowExecutionResponse:
        """Return a description with at most one pending activity."""
        answer = DescribeWorkflowExecutionResponse()
        if self._pending is not None:
            pending = answer.pending_activities.add(attempt=2)
            pending.activity_type.name = "add"
            pending.last_started_time.FromSeconds(self._pending)
        return answer


@pytest.mark.parametrize(
    ("workflow", "found"),
    [
        (PausedWorkflow(5, 9, pending=8), []),
        (PausedWorkflow(5, 11), ["an activity"]),
        (PausedWorkflow(5, pending=12), ["add (attempt 2)"]),
    ],
)
def test_starts_during_a_pause(workflow: PausedWorkflow, found: list[str]) -> None:
    """An attempt that starts during the pause is found; one that started before it is not."""
    assert asyncio.run(_started(workflow)) == found  # type: ignore[arg-type]
