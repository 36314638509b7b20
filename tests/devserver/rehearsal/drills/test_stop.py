"""Drills that end a runbook: stop, terminate and hand over."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from devserver.rehearsal import LegacyScript, Result, at, drills, expect
from devserver.rehearsal.errors import ScenarioInvalid
from devserver.rehearsal.scenario.preflight import check
from devserver.rehearsal.scenario.result import Judgement
from tests.devserver.rehearsal.conftest import Rehearse, scene

SECOND = at.activity_starts("add", nth=2)
THIRD = at.activity_starts("add", nth=3)
BY_HAND = str(Path(__file__).parents[1] / "by_hand.py")


def finding(result: Result, name: str) -> Judgement:
    """Return the finding whose name contains the text."""
    return next(judgement for judgement in result.judgements if name in judgement.name)


def by_hand(*words: str) -> LegacyScript:
    """Return the legacy script, with these arguments."""
    return LegacyScript([sys.executable, BY_HAND, *words])


def test_stop_runs_compensations(rehearse: Rehearse) -> None:
    """A stopped runbook removes what it has added, and is canceled."""
    stop = drills.stop(compensations=[("remove", "node-1"), ("remove", "node-2")])
    expected = [expect.status("canceled"), expect.compensates("remove", "node-1", "node-2")]
    result = rehearse(scene("tended", "Tended", THIRD.do(stop), expect=expected))
    assert result.verdict == "pass", result.reason
    assert "everything was compensated" in finding(result, "stopped").evidence


def test_stop_is_ignored(rehearse: Rehearse) -> None:
    """A runbook that ignores the cancellation fails the drill, which names what was not removed."""
    expected = [expect.completes()]
    result = rehearse(scene("tended", "Deaf", THIRD.do(drills.stop([("remove", "node-1"), "undo"])), expect=expected))
    assert result.verdict == "fail"
    details = finding(result, "stopped").details
    assert details[0].startswith("it is completed, not canceled")
    assert list(details[1:]) == ["remove node-1 did not happen", "undo did not happen"]


def test_stop_during_a_pause(rehearse: Rehearse) -> None:
    """A paused runbook does not react: the drill fails with the reason, and the resume lets the runbook end."""
    paused = at.event("WorkflowExecutionPaused")
    plan = (SECOND.do(drills.pause(for_=1.2)), paused.do(drills.stop(within=0.3)))
    result = rehearse(scene("tended", "Tended", *plan, expect=[expect.status("canceled")]))
    assert "it is paused, and gets the request when it is resumed" in finding(result, "stopped").evidence
    assert [judgement.name for judgement in result.judgements if judgement.verdict == "fail"] == [
        finding(result, "stopped").name
    ]


def test_terminate(rehearse: Rehearse) -> None:
    """A terminated runbook ends at once, with its children."""
    result = rehearse(scene("tended", "Tended", SECOND.do(drills.terminate()), expect=[expect.status("terminated")]))
    assert result.verdict == "pass", result.reason


def test_terminate_leaves_a_child(rehearse: Rehearse) -> None:
    """A child that outlives its terminated parent fails the drill, which names it."""
    expected = [expect.status("terminated")]
    result = rehearse(scene("tended", "Delegating", SECOND.do(drills.terminate()), expect=expected))
    assert result.verdict == "fail"
    assert "its child workflow" in finding(result, "terminated").evidence


def test_hand_over(rehearse: Rehearse) -> None:
    """The legacy script does exactly what the terminated runbook has not done."""
    over = drills.hand_over(by_hand(), how="terminate")
    expected = [expect.status("terminated"), expect.exactly_once("add", "node-1", "node-2", "node-3")]
    result = rehearse(scene("tended", "Tended", at.activity_completes("add", nth=2).do(over), expect=expected))
    assert result.verdict == "pass", result.reason
    assert finding(result, "handed over").evidence == "the legacy script did the rest: add node-3"


def test_hand_over_to_a_script_that_starts_from_the_beginning(rehearse: Rehearse) -> None:
    """The script repeats effects, and the drill names them."""
    over = drills.hand_over(by_hand("careless"), how="terminate")
    result = rehearse(scene("tended", "Tended", at.activity_completes("add").do(over), expect=[]))
    assert result.verdict == "fail"
    assert finding(result, "handed over").evidence == "the legacy script repeated add node-1"


def test_hand_over_to_a_broken_script(rehearse: Rehearse) -> None:
    """A failing script fails the drill with its last output."""
    over = drills.hand_over(by_hand("broken"))
    result = rehearse(scene("tended", "Tended", at.activity_completes("add").do(over), expect=[]))
    assert finding(result, "handed over").evidence == "the legacy script exited with code 1: the script is of last year"


def test_hand_over_from_a_runbook_that_ignores_the_stop(rehearse: Rehearse) -> None:
    """The script does not start while the runbook still runs."""
    over = drills.hand_over(by_hand(), within=0.3)
    result = rehearse(scene("tended", "Tended", SECOND.do(drills.pause(), over), expect=[], limit=2.0))
    assert "the legacy script did not start" in finding(result, "handed over").evidence


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: drills.stop(status="finished"), "unknown status 'finished'"),
        (lambda: drills.stop("remove"), "compensations must be a list"),
        (lambda: drills.stop(within=-1), r"stop\(within"),
        (lambda: drills.hand_over(by_hand(), how="ask"), "'cancel' or 'terminate'"),  # type: ignore[arg-type]
        (lambda: drills.hand_over("by_hand.sh"), "takes a LegacyScript"),  # type: ignore[arg-type]
        (lambda: check(scene("tended", "Tended", SECOND.do(drills.hand_over()))), "no legacy_script"),
    ],
)
def test_invalid_arguments(make: object, message: str) -> None:
    """Invalid arguments are refused before anything is started."""
    with pytest.raises(ScenarioInvalid, match=message):
        make()  # type: ignore[operator]
