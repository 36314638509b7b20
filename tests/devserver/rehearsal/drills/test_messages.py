"""Drills that send signals, updates and queries to a runbook, and `detect`, which looks for a stuck workflow."""

from __future__ import annotations

import pytest

from devserver.rehearsal import Result, at, drills, expect, faults
from devserver.rehearsal.errors import ScenarioInvalid
from devserver.rehearsal.run.metrics import RunMetrics
from devserver.rehearsal.scenario.preflight import check
from devserver.rehearsal.scenario.result import Judgement
from tests.devserver.rehearsal.conftest import Rehearse, scene
from tests.devserver.rehearsal.runbooks.tended import Size

SECOND = at.activity_starts("add", nth=2)


def finding(result: Result, name: str) -> Judgement:
    """Return the finding whose name contains the text."""
    return next(judgement for judgement in result.judgements if name in judgement.name)


def test_signal(rehearse: Rehearse) -> None:
    """A signal changes the target while the runbook runs; it is acknowledged, stored and handled."""
    plan = SECOND.do(drills.signal("grow", 5))
    expected = [expect.completes(), expect.no_signal_lost(), expect.exactly_once("add", "node-5")]
    result = rehearse(scene("tended", "Tended", plan, expect=expected))
    assert result.verdict == "pass", result.reason
    assert finding(result, "no signal lost").evidence == "all 1 acknowledged signals were handled"


def test_signal_through_an_outage(rehearse: Rehearse) -> None:
    """A signal sent while the server is down is retried until it is acknowledged, and delivered once."""
    kill = SECOND.do(faults.kill_server(down=0.5), drills.signal("grow", 4))
    expected = [expect.completes(), expect.no_signal_lost(), expect.at_least_once("add")]
    result = rehearse(scene("tended", "Tended", kill, expect=expected))
    assert result.verdict == "pass", result.reason
    assert result.run is not None
    assert [mark.what for mark in result.run.marks].count("WorkflowExecutionSignaled") == 1


def test_signal_over_continued_runs(rehearse: Rehearse) -> None:
    """A signal to a runbook that continues as new is found in the run that received it."""
    plan = SECOND.do(drills.signal("grow", 9))
    result = rehearse(scene("tended", "Chained", plan, input=1, expect=[expect.completes(), expect.no_signal_lost()]))
    assert result.verdict == "pass", result.reason


def test_signal_that_fails_the_workflow_task(rehearse: Rehearse) -> None:
    """The signal is not handled; `devserver stuck` reports the workflow, and the operator acts."""
    plan = SECOND_OF_CHOKING.do(
        drills.signal("grow", 4, within=2),
        drills.detect(within=5, kind="workflow_task_failing", then=drills.terminate()),
    )
    expected = [expect.no_signal_lost(), expect.status("terminated")]
    result = rehearse(scene("tended", "Choking", plan, expect=expected))
    assert result.verdict == "fail"
    assert "no workflow task has delivered it" in finding(result, "signal grow").evidence
    assert "workflow_task_failing reported after" in finding(result, "devserver stuck").evidence
    assert finding(result, "no signal lost").verdict == "fail"
    assert result.run is not None
    assert [signal.name for signal in RunMetrics.of(result.run).lost_signals] == ["grow"]


SECOND_OF_CHOKING = at.activity_completes("add")


def test_signal_whose_handler_does_not_end(rehearse: Rehearse) -> None:
    """A runbook that ends before the handler does has lost the signal, although the server stored it."""
    plan = at.activity_starts("add").do(drills.signal("grow", 4))
    expected = [expect.completes(), expect.no_signal_lost()]
    result = rehearse(scene("tended", "Abrupt", plan, expect=expected))
    assert finding(result, "signal grow").verdict == "pass"
    assert finding(result, "no signal lost").evidence == "grow: its handler did not end before the run did"
    assert result.verdict == "fail"


def test_signal_that_is_lost_with_the_database(rehearse: Rehearse) -> None:
    """A signal is lost if the database is restored from a snapshot taken before it."""
    plan = (
        SECOND.do(faults.snapshot_database(), drills.signal("grow", 4)),
        at.activity_starts("add", nth=3).do(faults.restore_database()),
    )
    result = rehearse(scene("tended", "Tended", *plan, expect=[expect.completes(), expect.no_signal_lost()]))
    assert "it is not in the history" in finding(result, "no signal lost").evidence
    assert result.verdict == "fail"


def test_signal_to_a_closed_runbook(rehearse: Rehearse) -> None:
    """The signal is not acknowledged, so the verdict is unknown and no signal counts."""
    plan = at.event("WorkflowExecutionCompleted").do(drills.signal("grow", 4))
    result = rehearse(scene("tended", "Tended", plan, expect=[expect.no_signal_lost()]))
    assert result.verdict == "unknown"
    assert "ended before the drill could begin" in result.reason
    assert "no signal of a drill was acknowledged" in finding(result, "no signal lost").evidence


def test_update_and_query(rehearse: Rehearse) -> None:
    """An update changes the target and returns a result; a query returns the progress."""
    plan = SECOND.do(
        drills.query("size", expect_result=Size(1, 3)),
        drills.update("set_target", 2, expect_result=3),
        drills.query("added", expect_result=("node-1",)),
    )
    expected = [expect.completes(), expect.exactly_once("add", "node-1", "node-2")]
    result = rehearse(scene("tended", "Tended", plan, expect=expected))
    assert result.verdict == "pass", result.reason
    assert finding(result, "update").evidence.startswith("it answered 3 within")


def test_unexpected_update_and_query_results(rehearse: Rehearse) -> None:
    """An unexpected result fails the drill, and so does an update that the runbook rejects."""
    plan = SECOND.do(
        drills.update("set_target", 0),
        drills.update("set_target", 4, expect_result=7),
        drills.query("added", expect_result=[]),
    )
    result = rehearse(scene("tended", "Tended", plan))
    assert [judgement.verdict for judgement in result.judgements] == ["fail", "fail", "fail", "pass"]
    assert [judgement.evidence for judgement in result.judgements][:3] == [
        "it was refused, or failed: ValueError: a ring has nodes",
        "it answered 3, not 7",
        "it answered ['node-1'], not []",
    ]


def test_update_and_query_without_a_worker(rehearse: Rehearse) -> None:
    """A query or an update that no worker answers fails within its timeout."""
    ask = drills.query("added", within=0.2), drills.update("set_target", 4, within=0.2)
    result = rehearse(scene("tended", "Tended", SECOND.do(faults.kill_worker(down=0.6), *ask)))
    assert finding(result, "query").evidence == "there was no answer within 0.2 s"
    assert finding(result, "update").evidence == "there was no answer within 0.2 s"
    assert result.verdict == "fail"


def test_update_through_an_outage(rehearse: Rehearse) -> None:
    """An update sent while the server is down is retried until it is answered, and is one update."""
    ask = drills.update("set_target", 4, expect_result=3), drills.query("size")
    expected = [expect.completes(), expect.at_least_once("add")]
    result = rehearse(scene("tended", "Tended", SECOND.do(faults.kill_server(down=0.5), *ask), expect=expected))
    assert result.verdict == "pass", result.reason
    assert result.run is not None
    assert [mark.what for mark in result.run.marks].count("WorkflowExecutionUpdateAccepted") == 1


def test_detect(rehearse: Rehearse) -> None:
    """`devserver stuck` reports an activity that always fails, and the operator stops the runbook."""
    plan = at.activity_starts("broken").do(drills.detect(within=10, then=drills.stop()))
    result = rehearse(scene("tended", "Hopeless", plan, expect=[expect.status("canceled")]))
    assert result.verdict == "pass", result.reason
    assert "activity_retrying reported after" in finding(result, "devserver stuck").evidence


def test_detect_through_an_outage(rehearse: Rehearse) -> None:
    """`detect` continues when the server is back."""
    plan = at.activity_starts("broken").do(
        faults.kill_server(down=0.5), drills.detect(within=15, kind="activity_retrying", then=drills.terminate())
    )
    result = rehearse(scene("tended", "Hopeless", plan, expect=[expect.status("terminated")]))
    assert result.verdict == "pass", result.reason


def test_detect_a_healthy_runbook(rehearse: Rehearse) -> None:
    """A healthy runbook is not stuck, so a drill that expects that fails."""
    result = rehearse(scene("tended", "Tended", SECOND.do(drills.detect(within=5))))
    assert result.verdict == "fail"
    assert "no problem was reported in" in finding(result, "devserver stuck").evidence


def test_detect_another_kind(rehearse: Rehearse) -> None:
    """A drill that expects one kind of problem fails for another; the operator still acts."""
    plan = at.activity_starts("broken").do(drills.detect(within=1, kind="timer_late", then=drills.terminate()))
    result = rehearse(scene("tended", "Hopeless", plan, expect=[expect.status("terminated")]))
    assert [judgement.verdict for judgement in result.judgements] == ["fail", "pass", "pass"]
    assert "timer_late was not reported in" in finding(result, "devserver stuck").evidence


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: check(scene("tended", "Tended", SECOND.do(drills.signal("shrink")))), "unknown signal 'shrink'"),
        (lambda: check(scene("tended", "Tended", SECOND.do(drills.update("grow", 1)))), "unknown update 'grow'"),
        (lambda: check(scene("tended", "Tended", SECOND.do(drills.query("length")))), "unknown query 'length'"),
        (
            lambda: check(scene("tended", "Tended", SECOND.do(drills.detect(1, then=drills.signal("shrink"))))),
            "unknown signal 'shrink'",
        ),
        (
            lambda: check(scene("tended", "Tended", SECOND.do(drills.signal("grow", object())))),
            "cannot encode the arguments",
        ),
        (
            lambda: check(scene("tended", "Tended", SECOND.do(drills.update("set_target", object())))),
            "cannot encode the arguments",
        ),
        (lambda: drills.signal(""), "signal takes a name"),
        (lambda: drills.signal("grow", 1, within=-1), r"signal\(within"),
        (lambda: drills.query("added", within="soon"), r"query\(within"),  # type: ignore[arg-type]
        (lambda: drills.detect(-1), r"detect\(within"),
        (lambda: drills.detect(1, kind="sleepy"), "unknown kind of problem 'sleepy'"),
    ],
)
def test_invalid_arguments(make: object, message: str) -> None:
    """Names that the runbook does not know, and invalid times, are refused before anything is started."""
    with pytest.raises(ScenarioInvalid, match=message):
        make()  # type: ignore[operator]
