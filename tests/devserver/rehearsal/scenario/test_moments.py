"""Moments: what triggers them, and what the seed decides."""

from __future__ import annotations

from datetime import timedelta

import pytest

from devserver.rehearsal import Scenario, at, expect, faults
from devserver.rehearsal.errors import ScenarioInvalid

from ..conftest import Rehearse, scene


def test_a_random_moment_depends_on_the_seed(rehearse: Rehearse) -> None:
    """The same seed gives the same event and the same time, and the report names them."""

    def steps(seed: int) -> list[str]:
        plan = (
            at.random_event().do(faults.freeze_server(0.05)),
            at.random_time(0, 0.2).do(faults.freeze_worker(0.05)),
        )
        expected = [expect.completes(), expect.at_least_once("step")]
        result = rehearse(scene("steps", "Slow", *plan, expect=expected), seed=seed)  # it takes a second
        assert result.verdict == "pass", result.reason
        return [step.step for step in result.run.steps] if result.run else []

    first, again, other = steps(7), steps(7), steps(8)
    assert first == again
    assert first != other
    assert first[0].startswith("event ")
    assert first[1].endswith("the worker is frozen for 0.05 s")


def test_a_moment_that_never_comes_is_not_a_pass(rehearse: Rehearse) -> None:
    """A fault that did not happen makes the verdict unknown, and is named."""
    result = rehearse(scene("steps", "Sure", at.activity_starts("step", nth=99).do(faults.kill_worker())))
    assert result.verdict == "unknown"
    assert "99th time that step starts" in result.reason
    assert "never came" in result.reason


def test_an_event_of_any_type(rehearse: Rehearse) -> None:
    """The nth event of a type can be a moment."""
    result = rehearse(scene("steps", "Sure", at.event("WorkflowTaskCompleted", nth=2).do(faults.freeze_worker(0.05))))
    assert result.verdict == "pass", result.reason
    assert result.run is not None
    assert result.run.steps[0].trigger == "event 10 WorkflowTaskCompleted"


def test_a_line_of_the_servers_log(rehearse: Rehearse) -> None:
    """A line in the server's log can be a moment, for example for a second fault after a restart."""
    plan = (
        at.activity_starts("step", nth=2).do(faults.kill_server()),
        at.log(r"server|frontend|started|listening").do(faults.freeze_worker(0.05)),
    )
    result = rehearse(scene("steps", "Sure", *plan))
    assert result.verdict == "pass", result.reason
    assert result.run is not None
    assert "the server logs" in str(result.run.steps[1].trigger)


def test_a_custom_condition(rehearse: Rehearse) -> None:
    """A function of the rehearsal so far can be a moment, named after the function."""

    def two_steps_were_done(view: object) -> bool:
        return len(view.effects) >= 2  # type: ignore[attr-defined]

    result = rehearse(scene("steps", "Slow", at.when(two_steps_were_done).do(faults.freeze_worker(0.05))))
    assert result.run is not None
    assert result.run.steps[0].trigger == "two_steps_were_done"
    assert len(result.run.effects) > 2


def test_a_condition_that_raises(rehearse: Rehearse) -> None:
    """Its error makes the verdict unknown, and is the reason."""
    result = rehearse(scene("steps", "Slow", at.when(lambda view: 1 / 0).do(faults.freeze_worker(0.05))))  # type: ignore[arg-type,return-value]
    assert result.verdict == "unknown"
    assert "ZeroDivisionError" in result.reason


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: at.activity_starts("step", nth=0), "number must be 1 or more"),
        (lambda: at.elapsed(-1), "takes seconds"),
        (lambda: at.elapsed(float("nan")), "takes seconds"),
        (lambda: at.random_time(2, timedelta(seconds=1)), "earlier time first"),
        (lambda: at.log("("), "not a regular expression"),
        (lambda: at.elapsed(1).do(), "nothing is planned"),
        (lambda: Scenario("x", "steps", "Sure", plan=[faults.kill_server()]), "which is not a step"),  # type: ignore[list-item]
        (lambda: Scenario("x", "steps", "Sure", input=1, args=[1]), "both input and args"),
        (lambda: at.elapsed(1).do(faults.kill_worker), "kill_worker is neither a fault nor a drill"),  # type: ignore[arg-type]
        (lambda: Scenario("x", "steps", "Sure", expect=[expect.completes]), "expects completes, which is no"),  # type: ignore[list-item]
        (lambda: Scenario("x", "steps", "Sure", expect=expect.completes()), "the expect of 'x' must be a list"),  # type: ignore[arg-type]
        (
            lambda: Scenario("x", "steps", "Sure", plan=at.elapsed(1).do(faults.kill_worker())),  # type: ignore[arg-type]
            "the plan of 'x' must be a l",
        ),
        (lambda: Scenario("x", "steps", "Sure", steady_state=[True]), "which is not a function"),  # type: ignore[list-item]
        (lambda: Scenario("x", "steps", "Sure", limit=0), "greater than 0, not 0"),
        (lambda: Scenario("x", "steps", "Sure", limit="60"), "a number of seconds"),  # type: ignore[arg-type]
    ],
)
def test_invalid_arguments(make: object, message: str) -> None:
    """They are refused when the scenario is written, not when it runs."""
    with pytest.raises(ScenarioInvalid, match=message):
        make()  # type: ignore[operator]


def test_an_unknown_activity(rehearse: Rehearse) -> None:
    """It is refused before anything is started, with the known activities."""
    with pytest.raises(ScenarioInvalid, match="waits for an unknown activity: 'stepp'") as refused:
        rehearse(scene("steps", "Sure", at.activity_starts("stepp").do(faults.kill_worker())))
    assert "step" in str(refused.value.hint)


def test_an_unknown_event_type(rehearse: Rehearse) -> None:
    """It is refused before anything is started, with the nearest type."""
    with pytest.raises(ScenarioInvalid, match="waits for an unknown type of event: 'TimerStartet'") as refused:
        rehearse(scene("steps", "Sure", at.event("TimerStartet").do(faults.kill_worker())))
    assert refused.value.hint == "did you mean TimerStarted?"


def test_an_unknown_workflow(rehearse: Rehearse) -> None:
    """It is refused with the known workflows."""
    with pytest.raises(ScenarioInvalid, match="unknown workflow 'Shure'") as refused:
        rehearse(scene("steps", "Shure", expect=[expect.completes()]))
    assert "Sure" in str(refused.value.hint)
