"""Expectations of what a run did and how fast: effects, order, compensations, recovery, idle time and logs."""

from __future__ import annotations

from datetime import timedelta

import pytest

from devserver.rehearsal import Result, at, expect, faults
from devserver.rehearsal.errors import ScenarioInvalid
from devserver.rehearsal.run.metrics import RunMetrics
from tests.devserver.rehearsal.conftest import Rehearse, scene

ROLL = [[name, f"node-{number}"] for number in (1, 2) for name in ("drain", "stop", "start")]


def verdicts(result: Result) -> list[str]:
    """Return the verdicts of all findings."""
    return [judgement.verdict for judgement in result.judgements]


def test_effects(rehearse: Rehearse) -> None:
    """Effects that happen twice or never are found, unlike those that happen once."""
    lost = at.activity_completes("act", nth=2).do(faults.lose_answer())
    expected = [
        expect.at_least_once("stop"),
        expect.exactly_once("drain", "node-1", "node-2"),
        expect.exactly_once("stop"),
        expect.at_least_once("stop", "node-3"),
        expect.exactly_once("burn"),
    ]
    result = rehearse(scene("judged", "Listed", lost, input=ROLL, expect=expected))
    assert verdicts(result) == ["pass", "pass", "fail", "fail", "fail"]
    assert "stop node-1 happened 2 times in the activity act" in result.judgements[2].evidence
    assert result.run is not None
    metrics = RunMetrics.of(result.run)
    assert [(duplicate.name, duplicate.key, list(duplicate.attempts)) for duplicate in metrics.duplicates] == [
        ("stop", "node-1", [1, 2])
    ]
    assert (metrics.attempts, metrics.most_attempts) == ({"act": 7}, 2)


def test_order(rehearse: Rehearse) -> None:
    """The order is checked per node; it fails if all nodes are required in order, or if one effect is early."""
    lost = at.activity_completes("act", nth=1).do(faults.lose_answer())
    expected = [
        expect.order("drain", "stop", "start"),
        expect.order(("start", "node-1"), ("drain", "node-2")),
        expect.order(("drain", "node-1"), "start"),
        expect.order("start", "drain"),
        expect.order("drain", ("stop", "node-1")),
        expect.order("drain", "burn"),
    ]
    result = rehearse(scene("judged", "Listed", lost, input=ROLL, expect=expected))
    assert verdicts(result) == ["pass", "pass", "pass", "fail", "fail", "fail"]
    assert "drain node-1 at" in result.judgements[3].evidence
    assert result.judgements[5].evidence == "burn never happened"


def test_compensations(rehearse: Rehearse) -> None:
    """A compensated effect is found; a missing compensation and one before its effect are not."""
    expected = [
        expect.compensates("remove", "node-1", of="add"),
        expect.compensates("remove"),
        expect.compensates("remove", of="add"),
        expect.compensates("remove", "node-3"),
        expect.compensates("remove", of="burn"),
        expect.compensates("undo"),
    ]
    effects = [["remove", "node-2"], ["add", "node-1"], ["add", "node-2"], ["remove", "node-1"]]
    result = rehearse(scene("judged", "Listed", input=effects, expect=expected))
    assert verdicts(result) == ["pass", "pass", "fail", "fail", "unknown", "fail"]
    assert result.judgements[2].evidence == "add node-2 happened, but no remove came after it"


def test_recovery(rehearse: Rehearse) -> None:
    """The time from the return of server and worker until the run continues is measured and judged."""
    plan = (
        at.activity_starts("act", nth=2).do(faults.kill_server(down=0.3)),
        at.activity_completes("act", nth=5).do(faults.kill_worker(down=0.2)),
    )
    expected = [expect.recovers(within=20), expect.recovers(within=0), expect.never_idle_longer_than(0.1)]
    result = rehearse(scene("judged", "Listed", *plan, input=ROLL, expect=expected))
    assert verdicts(result)[:3] == ["pass", "fail", "fail"]
    assert result.run is not None
    metrics = RunMetrics.of(result.run)
    assert [(outage.lane, outage.ended) for outage in metrics.outages] == [("server", "killed"), ("worker", "killed")]
    assert metrics.recovery is not None
    assert metrics.recovery > 0
    assert metrics.downtime > 0.5
    assert metrics.idle >= 0.3


def test_recovery_from_a_network_outage(rehearse: Rehearse) -> None:
    """A cut network is an outage to recover from, but not downtime of server or worker."""
    plan = at.activity_starts("act", nth=2).do(faults.cut_network(for_=0.4))
    expected = [expect.recovers(within=20), expect.recovers(within=0)]
    result = rehearse(scene("judged", "Listed", plan, input=ROLL, expect=expected))
    assert verdicts(result) == ["pass", "fail"]
    assert result.run is not None
    metrics = RunMetrics.of(result.run)
    assert [(outage.lane, outage.ended) for outage in metrics.outages] == [("network", "cut")]
    assert metrics.downtime == 0


def test_no_outage(rehearse: Rehearse) -> None:
    """Without an outage it is unknown whether a runbook recovers."""
    result = rehearse(scene("judged", "Listed", input=ROLL, expect=[expect.recovers(within=5)]))
    assert result.verdict == "unknown"


def test_worker_does_not_return(rehearse: Rehearse) -> None:
    """A worker that is still down at the end has not recovered, and the run is idle until then."""
    plan = at.activity_starts("act", nth=2).do(faults.kill_worker(down=30))
    expected = [expect.recovers(within=20), expect.never_idle_longer_than(1)]
    result = rehearse(scene("judged", "Listed", plan, input=ROLL, expect=expected, limit=1.5))
    assert verdicts(result)[:2] == ["fail", "fail"]
    assert (
        "did not come back" in result.judgements[0].evidence
        or "the run made no progress" in result.judgements[0].evidence
    )


def test_idle_time(rehearse: Rehearse) -> None:
    """A slow activity is idle time; the limit decides the verdict."""
    expected = [expect.never_idle_longer_than(10), expect.never_idle_longer_than(timedelta(seconds=0.5))]
    result = rehearse(scene("judged", "Listed", input=[["add", "1"], ["wait"], ["add", "2"]], expect=expected))
    assert verdicts(result) == ["pass", "fail"]
    assert "from" in result.judgements[1].evidence


def test_logs(rehearse: Rehearse) -> None:
    """A pattern is found in the worker's output and in the server's log."""
    expected = [
        expect.log_free_of("did panic", where="worker"),
        expect.log_free_of("did add", where="worker"),
        expect.log_free_of("panic in the ring"),
        expect.log_free_of("."),
    ]
    plan = at.activity_starts("act").do(faults.kill_server())
    result = rehearse(scene("judged", "Listed", plan, input=[["add", "node-1"]], expect=expected))
    assert verdicts(result)[:4] == ["pass", "fail", "pass", "fail"]  # a repeated effect would be one more
    assert "the first: did add node-1" in result.judgements[1].evidence


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: expect.recovers(within=-1), r"recovers\(within"),
        (lambda: expect.never_idle_longer_than(-0.1), "never_idle_longer_than takes seconds"),
        (lambda: expect.order("drain"), "two or more different effects, not"),
        (lambda: expect.order("drain", "drain"), "two or more different effects, not"),
        (lambda: expect.order("drain", 3), "not 3"),  # type: ignore[arg-type]
        (lambda: expect.log_free_of("("), "not a regular expression"),
        (lambda: expect.log_free_of("x", where="disk"), "'server' or 'worker' or a member of the patient, not 'disk'"),
        (lambda: expect.compensates("add", of="add"), "cannot compensate itself"),
    ],
)
def test_invalid_arguments(make: object, message: str) -> None:
    """Invalid arguments are an error where the scenario is written."""
    with pytest.raises(ScenarioInvalid, match=message):
        make()  # type: ignore[operator]
