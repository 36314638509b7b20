"""Expectations of a runbook's end, its result and its histories."""

from __future__ import annotations

import pytest

from devserver.rehearsal import at, expect, faults
from devserver.rehearsal.errors import ScenarioInvalid
from tests.devserver.rehearsal.conftest import Rehearse, scene


def test_fails_as_expected(rehearse: Rehearse) -> None:
    """An expected failure matches by its message, its type, or the type of a cause."""
    expected = [
        expect.fails(),
        expect.fails("the disk is gone"),
        expect.fails(type="DiskGone"),
        expect.fails(type="ActivityError"),
        expect.status("failed"),
        expect.fails("out of tape"),
        expect.fails("the disk is gone", type="ValueError"),
        expect.completes(),
    ]
    result = rehearse(scene("tended", "Failing", expect=expected))
    assert [judgement.verdict for judgement in result.judgements] == ["pass"] * 5 + ["fail"] * 3
    assert "DiskGone: the disk is gone" in result.judgements[5].evidence


def test_completes_instead(rehearse: Rehearse) -> None:
    """A runbook that completes does not meet the expectation to fail or to end soon."""
    expected = [expect.fails(), expect.status("canceled"), expect.completes(within=0.001), expect.completes(within=60)]
    result = rehearse(scene("tended", "Tended", expect=expected))
    assert [judgement.verdict for judgement in result.judgements] == ["fail", "fail", "fail", "pass"]
    assert result.judgements[0].evidence == "it is completed"


def test_same_result(rehearse: Rehearse) -> None:
    """The results with and without faults are compared; a result that counts attempts differs."""
    lost = at.activity_completes("act", nth=2).do(faults.lose_answer())
    result = rehearse(
        scene(
            "judged",
            "Listed",
            lost,
            input=[["add", "1"], ["add", "2"]],
            expect=[expect.same_result(), expect.replays(), expect.at_least_once("add")],
        )
    )
    assert result.verdict == "pass", result.reason
    counting = at.activity_completes("count", nth=2).do(faults.lose_answer())
    result = rehearse(scene("judged", "Counting", counting, expect=[expect.same_result()]))
    assert result.verdict == "fail"
    assert "without faults 3, with faults 4" in result.reason


def test_does_not_replay(rehearse: Rehearse) -> None:
    """A runbook that decides at random does not replay."""
    result = rehearse(scene("judged", "Chance", expect=[expect.completes(), expect.replays()]))
    assert [judgement.verdict for judgement in result.judgements] == ["pass", "fail"]
    assert "(Chance) does not replay: " in result.judgements[1].evidence


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: expect.status("done"), "unknown status 'done'"),
        (lambda: expect.completes(within=-1), r"completes\(within"),
    ],
)
def test_invalid_arguments(make: object, message: str) -> None:
    """Invalid arguments are an error where the scenario is written."""
    with pytest.raises(ScenarioInvalid, match=message):
        make()  # type: ignore[operator]
