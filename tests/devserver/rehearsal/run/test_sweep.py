"""Sweeps: a crash at every point of a history."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent

from devserver.rehearsal import RehearsalSettings, Result, RunView, Scenario, expect, sweep
from devserver.rehearsal.errors import ScenarioInvalid
from devserver.rehearsal.run.sweep import SweepProgress
from devserver.rehearsal.run.sweep_points import points_of
from devserver.rehearsal.scenario.result import Sweep, Target

from ..conftest import Stand, scene

pytestmark = pytest.mark.server

SweepWorkers = Callable[[Scenario], tuple[Sweep, Result, list[SweepProgress]]]


def run_sweep(
    scenario: Scenario, target: Target, settings: RehearsalSettings | None = None, lanes: int | None = None
) -> tuple[Sweep, Result, list[SweepProgress]]:
    """Sweep a scenario; return the result and the progress."""
    progress: list[SweepProgress] = []
    result = asyncio.run(sweep(scenario, target, settings, lanes=lanes, progress=progress.append))
    assert result.sweep is not None
    return result.sweep, result, progress


@pytest.fixture
def sweep_workers(stand: Stand) -> SweepWorkers:
    """Sweep a scenario's worker on one server, with workers from the session's fork server."""

    def run(scenario: Scenario) -> tuple[Sweep, Result, list[SweepProgress]]:
        settings = RehearsalSettings(fork_server=stand.environment.fork_server)
        return run_sweep(scenario, "worker", settings, lanes=1)

    return run


def careful(workflow: str, *more: object) -> Scenario:
    """Return a scenario with a step whose effect must happen once."""
    return scene("steps", f"One{workflow}", expect=[expect.completes(), expect.exactly_once("step"), *more])


@pytest.mark.parametrize("target", ["server", "worker"])
def test_a_careful_runbook_survives_a_kill_at_every_point(target: Target) -> None:
    """Every event is a point, and so is every activity between its effect and its result; all pass."""
    found, result, progress = run_sweep(careful("Sure", expect.same_result(), expect.replays()), target)
    assert result.verdict == "pass", (result.reason, result.judgements)
    events = len(found.plain.histories[0].events)
    assert [point.event for point in found.points if "not reported" not in point.what] == list(range(1, events + 1))
    assert sum("not reported" in point.what for point in found.points) == 1
    assert all(point.last is None or point.last >= point.event - 1 for point in found.points)
    assert (progress[0].done, progress[0].seconds_left) == (0, None)
    assert (progress[-1].done, progress[-1].total, progress[-1].failed) == (len(found.points), len(found.points), 0)


def test_points_at_which_a_careless_runbook_repeats_effects_are_named(sweep_workers: SweepWorkers) -> None:
    """It fails between an effect and its result, and only there; the evidence is kept."""
    found, result, _ = sweep_workers(careful("Careless"))
    assert result.verdict == "fail", result.judgements
    assert {point.what for point in found.failed} == {"careless_step has acted, but not reported it yet"}
    (point,) = found.failed
    assert "step one happened 2 times" in point.reason
    assert point.run is not None
    assert [effect.attempt for effect in point.run.effects] == [1, 2]
    assert any("after event" in line for line in result.judgements[0].details)


def test_the_steady_state_is_checked_at_every_point(sweep_workers: SweepWorkers) -> None:
    """A steady state broken by a kill is found, even if all expectations are met."""

    def no_worker_was_killed(view: RunView) -> bool:
        return not any(mark.detail.get("ended") == "killed" for mark in view.marks)

    found, result, _ = sweep_workers(
        scene("steps", "Nothing", steady_state=[no_worker_was_killed], expect=[expect.replays()])
    )
    assert result.verdict == "fail", result.reason
    assert "no worker was killed (after)" in found.failed[0].reason


@pytest.mark.parametrize(("workflow", "where"), [("Parent", "child"), ("Continued", "attempt 1")])
def test_activities_of_children_and_later_runs_are_points(
    sweep_workers: SweepWorkers, workflow: str, where: str
) -> None:
    """A repeated effect is found in a child, and in a run after continue-as-new."""
    found, result, _ = sweep_workers(scene("family", workflow, expect=[expect.exactly_once("tell")]))
    assert result.verdict == "fail", (result.reason, [point.what for point in found.points])
    # On a busy machine a kill at the task before may also come after the effect, which is a correct finding.
    acted = [point.what for point in found.failed if "has acted, but not reported it yet" in point.what]
    assert {what.partition(" ")[0] for what in acted} == {"tell"}
    assert any(where in what for what in acted)
    assert len(found.points) == len({(point.event, point.what) for point in found.points})


def test_expectations_that_cannot_be_checked(sweep_workers: SweepWorkers) -> None:
    """Expectations that need a plan, or that fail without a kill, are skipped and named; recovery is checked."""
    expected = [expect.completes(), expect.recovers(within=15), expect.exactly_once("other"), expect.no_signal_lost()]
    found, result, _ = sweep_workers(scene("steps", "Nothing", expect=expected))
    assert (result.verdict, found.failed) == ("unknown", []), (result.judgements, found.failed)
    assert found.omitted == ("other exactly once", "no signal lost")
    assert "the run without faults does not meet it" in result.reason
    assert "a sweep ignores the plan" in result.reason
    assert [line.rpartition(": ")[2] for line in result.judgements[0].details] == [*found.omitted]


def test_a_runbook_that_needs_its_plan_is_not_swept(sweep_workers: SweepWorkers) -> None:
    """It does not end without the plan, so no point is tried, and the verdict says why."""
    found, result, progress = sweep_workers(scene("tended", "Choking", limit=0.7))
    assert result.verdict == "unknown"
    assert found.points == ()
    assert "does the runbook wait for one of its steps?" in result.reason
    assert progress[-1].total == 0


def test_a_sweep_without_expectations_is_refused() -> None:
    """It would take minutes and show nothing."""
    with pytest.raises(ScenarioInvalid, match="the scenario expects nothing"):
        run_sweep(scene("steps", "OneSure", expect=[]), "worker")


def test_moments_count_attempts() -> None:
    """The history has only the last attempt of an activity, and its result is a point only if it completed."""
    points = points_of(
        [scheduled(5), started(6, of=5, attempt=3), completed(7, of=6), scheduled(11), started(12, of=11)]
    )
    assert [str(point.moment) for point in points] == [
        "event 5",
        "3rd time that step starts",
        "1st time that step completes",
        "event 7",
        "event 11",
        "4th time that step starts",
    ]


def scheduled(number: int) -> HistoryEvent:
    """Return a scheduled activity."""
    event = HistoryEvent(event_id=number, event_type=EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED)
    event.activity_task_scheduled_event_attributes.activity_type.name = "step"
    return event


def started(number: int, *, of: int, attempt: int = 1) -> HistoryEvent:
    """Return the start of its last attempt."""
    event = HistoryEvent(event_id=number, event_type=EventType.EVENT_TYPE_ACTIVITY_TASK_STARTED)
    event.activity_task_started_event_attributes.scheduled_event_id = of
    event.activity_task_started_event_attributes.attempt = attempt
    return event


def completed(number: int, *, of: int) -> HistoryEvent:
    """Return its completion."""
    event = HistoryEvent(event_id=number, event_type=EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED)
    event.activity_task_completed_event_attributes.started_event_id = of
    return event
