"""What is expected of the patient, judged by records of its workload."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timezone

import pytest

from devserver.rehearsal import RehearsalRun, expect
from devserver.rehearsal.errors import ScenarioInvalid
from devserver.rehearsal.expect.patient import PatientExpectation
from devserver.rehearsal.patient.record import LoadCall, PatientRecord

GOOD = [
    LoadCall(f"load-{second}", float(second), second + 0.1, None, True, second + 0.5, "complete")
    for second in range(10)
]


def run_with(*calls: LoadCall, problem: str | None = None) -> RehearsalRun:
    """A run whose patient had these calls, from second 0 to 10."""
    patient = PatientRecord("a cluster", 0.0, 10.0, calls, problem, {"history-1": 1})
    began = datetime.now(timezone.utc)
    return RehearsalRun("w", began, 0.0, 10.0, "completed", None, None, (), (), (), patient=patient)


def verdict(expectation: PatientExpectation, run: RehearsalRun) -> tuple[str, str]:
    """The verdict and its evidence."""
    judgement = expectation.judge(run)
    return judgement.verdict, judgement.evidence


def test_an_undisturbed_patient() -> None:
    """It meets every expectation, and the evidence has its figures."""
    run = run_with(*GOOD)
    assert verdict(expect.patient.nothing_lost(), run) == (
        "pass",
        "all of 10 acknowledged workflows have completed, with 10 signals",
    )
    assert verdict(expect.patient.available(0.99), run) == ("pass", "100.0% of 10 starts were acknowledged within 2 s")
    assert verdict(expect.patient.outage_shorter_than(2), run)[0] == "pass"
    assert verdict(expect.patient.runs_again(within=2), run)[0] == "pass"
    assert verdict(expect.patient.healthy(), run) == ("pass", "every member runs, and so does a new workflow")


def test_an_acknowledged_workflow_that_is_lost() -> None:
    """It is named with what became of it, and so is a signal; a start that was refused is not lost."""
    lost = replace(GOOD[3], result="NOT_FOUND: workflow not found")
    signal = replace(GOOD[4], result="signal lost")
    refused = LoadCall("load-x", 5.0, error="UNAVAILABLE: shard status unknown")
    judgement = expect.patient.nothing_lost().judge(run_with(*GOOD[:3], lost, signal, refused))
    assert judgement.verdict == "fail"
    assert judgement.evidence == "2 of 5 acknowledged workflows are lost or do not complete"
    assert "load-3, acknowledged at 3.100 s: NOT_FOUND: workflow not found" in judgement.details


def test_an_acknowledged_schedule_or_update_that_is_lost() -> None:
    """A schedule that was acknowledged must act, one that was refused need not; an update counts as a signal does."""
    acted = LoadCall("load-schedule-1", 1.0, 1.1, completed=2.3, result="complete")
    never = LoadCall("load-schedule-2", 2.0, 2.1, result="it never acted")
    refused = LoadCall("load-schedule-3", 3.0, error="UNAVAILABLE: no")
    run = run_with(*(replace(call, updated=True) for call in GOOD))
    assert run.patient is not None
    good = replace(run, patient=replace(run.patient, schedules=[acted, refused]))
    assert verdict(expect.patient.nothing_lost(), good) == (
        "pass",
        "all of 10 acknowledged workflows have completed, with 10 signals, 10 updates; 1 schedules have acted",
    )
    bad = replace(run, patient=replace(run.patient, schedules=[acted, never]))
    judgement = expect.patient.nothing_lost().judge(bad)
    assert judgement.evidence == "1 of 12 acknowledged workflows and schedules are lost or do not complete"
    assert judgement.details == ["load-schedule-2, acknowledged at 2.100 s: it never acted"]


def test_an_outage_of_the_patient() -> None:
    """A gap is measured to the end of the workload, and errors are counted."""
    refused = [replace(GOOD[0], acknowledged=None, error="UNAVAILABLE: no") for _ in range(7)]
    run = run_with(*GOOD[:3], *refused)
    assert verdict(expect.patient.outage_shorter_than(7), run) == (
        "fail",
        "for 7.9 s it never acknowledged a start, from 2.100 s on",
    )
    judgement = expect.patient.available(0.5).judge(run)
    assert (judgement.verdict, judgement.details) == ("fail", ["7 x UNAVAILABLE: no"])


def test_starts_that_are_acknowledged_and_do_not_run() -> None:
    """With matching dead every start is acknowledged; only the workflows that run show it."""
    run = run_with(*(replace(call, completed=None, result="not completed") for call in GOOD))
    assert verdict(expect.patient.outage_shorter_than(2), run)[0] == "pass"
    assert verdict(expect.patient.runs_again(within=2), run)[0] == "fail"


def test_without_evidence() -> None:
    """Without a patient, a workload or an acknowledged start the verdict is unknown, never a pass."""
    assert verdict(expect.patient.healthy(), replace(run_with(), patient=None))[0] == "unknown"
    assert verdict(expect.patient.nothing_lost(), run_with())[0] == "unknown"
    assert verdict(expect.patient.nothing_lost(), run_with(LoadCall("x", 0.0, error="no")))[0] == "unknown"
    assert verdict(expect.patient.healthy(), run_with(problem="not running: history-1 (killed)")) == (
        "fail",
        "not running: history-1 (killed)",
    )


@pytest.mark.parametrize("share", [0, 1.5, "much", True])
def test_a_share_that_is_none(share: object) -> None:
    """It is refused when the scenario is loaded."""
    with pytest.raises(ScenarioInvalid, match="takes a share above 0 and up to 1"):
        expect.patient.available(share)  # type: ignore[arg-type]
