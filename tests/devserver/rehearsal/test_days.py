"""Rehearsals of days in seconds: timers, monitors, pauses and outages on a virtual clock."""

from __future__ import annotations

from datetime import timedelta

import pytest

from devserver.rehearsal import Result, at, drills, expect, faults
from devserver.rehearsal.scenario.result import Judgement
from tests.devserver.rehearsal.conftest import Rehearse, scene

CLUSTERS = 20
NAMES = [f"cluster-{number}" for number in range(1, CLUSTERS + 1)]
EXPECTED = [
    expect.completes(),
    expect.at_least_once("upgrade", *NAMES),
    expect.exactly_once("quiet", *NAMES),
    expect.exactly_once("roll_back", "cluster-7", "cluster-12"),
    expect.order(("upgrade", "cluster-1"), ("quiet", "cluster-1"), ("upgrade", "cluster-2")),
    expect.no_signal_lost(),
    expect.recovers(within=30),
    expect.replays(),
]
PLAN = (
    at.virtual(timedelta(days=1, hours=3)).do(drills.pause(for_=timedelta(hours=8))),
    at.activity_starts("upgrade", nth=13).do(drills.signal("alarm", "cluster-12")),
    at.activity_completes("upgrade", nth=16).do(faults.kill_server(down=0.2)),
)


def finding(result: Result, name: str) -> Judgement:
    """Return the finding whose name contains the text."""
    return next(judgement for judgement in result.judgements if name in judgement.name)


def test_a_rollout_of_five_days(rehearse: Rehearse) -> None:
    """Twenty waits of six hours, an alert, a manual alarm, a pause overnight and a killed server take seconds."""
    result = rehearse(scene("days", "Rollout", *PLAN, input=CLUSTERS, expect=EXPECTED, time_skipping=True, limit=60.0))
    assert result.verdict == "pass", result.reason
    assert result.run is not None
    assert result.run.output >= 6 * (CLUSTERS + 1)  # hours on the runbook's clock: one cluster waited twice
    assert result.run.seconds is not None
    assert result.run.seconds < 60
    paused = finding(result, "paused for 8:00:00")
    assert "nothing started while it was paused" in paused.evidence


def test_a_reckless_rollout_fails(rehearse: Rehearse) -> None:
    """A rollout that ignores its monitors is detected."""
    expected = [expect.completes(), expect.exactly_once("roll_back", "cluster-7")]
    result = rehearse(scene("days", "Reckless", PLAN[0], input=8, expect=expected, time_skipping=True, limit=60.0))
    assert [judgement.verdict for judgement in result.judgements] == ["pass", "pass", "fail"]
    assert "no effect 'roll_back'" in result.reason or "never happened" in result.reason


@pytest.mark.parametrize(("hours", "verdict"), [(8, "pass"), (13, "fail")])
def test_an_approval_after_the_night(rehearse: Rehearse, hours: int, verdict: str) -> None:
    """A pause of hours takes hours on the runbook's clock, so an approval that is too late is detected."""
    resumed = at.when(lambda view: any(mark.lane == "drill" and mark.until for mark in view.marks), "the night is over")
    plan = (
        at.virtual(timedelta(hours=1)).do(drills.pause(for_=timedelta(hours=hours))),
        resumed.do(drills.signal("approve")),
    )
    result = rehearse(scene("days", "Approved", *plan, time_skipping=True))
    assert result.verdict == verdict, result.reason
    assert finding(result, "paused for").evidence.endswith("advanced right after it")
    assert verdict == "pass" or "the approval came too late" in result.reason
