"""Comparisons of two reports: what counts as worse, and what does not."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from devserver.rehearsal import report
from devserver.rehearsal.report.compare import compared
from devserver.rehearsal.report.comparison_page import changed, write_comparison
from devserver.rehearsal.report.stored import ReportUnreadable, read_report
from tests.devserver.rehearsal.report.test_page import HOSTILE, Page
from tests.helpers.rehearsed import result, run, twice

PLACES = (Path("before"), Path("after"))


def made(*results: Any) -> dict[str, Any]:
    """A report as it is read from its file."""
    shape = json.loads(json.dumps(report.data(results or [result(twice())])))
    assert isinstance(shape, dict)
    return shape


def altered(shape: dict[str, Any], **values: Any) -> dict[str, Any]:
    """A report whose only result has other values; dotted metrics as `metrics__idle_seconds`."""
    other = copy.deepcopy(shape)
    for name, value in values.items():
        place = other["results"][0]
        *way, last = name.split("__")
        for step in way:
            place = place[step]
        place[last] = value
    return other


def test_the_same_report_is_the_same() -> None:
    """Nothing changed, and nothing is listed."""
    comparison = compared(made(), made(), PLACES)
    assert comparison["verdict"] == "same"
    (scenario,) = comparison["scenarios"]
    assert list(changed(scenario)) == []


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({"verdict": "unknown"}, None),
        (
            {"expectations": [{"name": "completes within 20 s", "verdict": "fail", "evidence": "it hangs"}]},
            ("worse", "completes within 20 s, pass to fail: it hangs"),
        ),
        ({"metrics__duplicate_effects": 3}, ("worse", "Repeated side effects: 1 to 3")),
        ({"metrics__lost_signals": [{"name": "go"}]}, ("worse", "Signals lost: 0 to 1")),
    ],
    ids=["verdict", "expectation", "repeated effects", "lost signals"],
)
def test_what_is_worse_in_one_direction_is_better_in_the_other(
    values: dict[str, Any], named: tuple[str, str] | None
) -> None:
    """A worse verdict, expectation or count makes the comparison worse; backwards it is better."""
    met = {"name": "completes within 20 s", "verdict": "pass", "evidence": "it did"}
    before = altered(made(), verdict="pass", expectations=[met])
    after = altered(before, **values)
    comparison = compared(before, after, PLACES)
    assert comparison["verdict"] == "worse"
    if named is not None:
        assert named in list(changed(comparison["scenarios"][0]))
    assert compared(after, before, PLACES)["verdict"] == "better"


def test_timings_count_only_if_asked() -> None:
    """A slower run is named, and is worse only beyond the percentage that is allowed; small changes are chance."""
    before = altered(made(), metrics__idle_seconds=4.0)
    after = altered(before, metrics__idle_seconds=7.0)
    assert compared(before, after, PLACES)["verdict"] == "same"
    assert list(changed(compared(before, after, PLACES)["scenarios"][0])) == [
        ("slower", "Longest time without progress: 4.00 s to 7.00 s")
    ]
    assert compared(before, after, PLACES, slower=100)["verdict"] == "same"
    assert compared(before, after, PLACES, slower=50)["verdict"] == "worse"
    little = altered(before, metrics__idle_seconds=4.3)
    assert list(changed(compared(before, little, PLACES, slower=0)["scenarios"][0])) == []


def test_scenarios_of_one_report_only() -> None:
    """A scenario that is gone is worse; a new one is neither. Repeats are compared turn by turn."""
    one, other = result(twice(), name="one"), result(run(), name="other", verdict="pass")
    gone = compared(made(one, other), made(one), PLACES)
    assert (gone["verdict"], gone["counts"]["gone"]) == ("worse", 1)
    new = compared(made(one), made(one, other), PLACES)
    assert (new["verdict"], new["counts"]["new"]) == ("same", 1)
    repeats = compared(made(one, one), made(one, one), PLACES)
    assert [scenario["turn"] for scenario in repeats["scenarios"]] == [1, 2]


def test_scenarios_of_one_name_in_several_files() -> None:
    """The names of their files tell them apart, whatever the order and the folders."""
    good = result(run(), verdict="pass", judgements=[], file="/here/good.py")
    bad = result(twice(), file="/here/bad.py")
    elsewhere = [result(twice(), file="/ci/bad.py"), result(run(), verdict="pass", judgements=[], file="/ci/good.py")]
    comparison = compared(made(good, bad), made(*elsewhere), PLACES)
    assert comparison["verdict"] == "same"
    assert [scenario["name"] for scenario in comparison["scenarios"]] == ["scale up (good.py)", "scale up (bad.py)"]


def test_hostile_text_stays_text(tmp_path: Path) -> None:
    """Names and evidence with markup add no element to the page."""
    before = altered(made(), name=HOSTILE, verdict="pass")
    expectation = {"name": HOSTILE, "verdict": "fail", "evidence": HOSTILE}
    after = altered(before, verdict="fail", expectations=[expectation])
    write_comparison(compared(before, after, (Path(HOSTILE), Path(HOSTILE))), tmp_path / "page.html")
    text = (tmp_path / "page.html").read_text()
    page = Page(text)
    assert page.open == []
    assert {"script", "img"} & {tag for tag, _ in page.elements} == set()
    assert "&lt;script&gt;alert(1)" in text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "is not JSON"),
        ("[" * 100_000, "is not JSON"),
        ("[]", "it has no results"),
        ('{"results": [], "form": 7}', "its form is 7, not 1"),
        ('{"results": [{"name": 1}], "form": 1}', "its results are incomplete"),
        ('{"results": [], "form": 1, "created": "x"}', "it has no verdict"),
    ],
)
def test_a_file_that_is_no_report(tmp_path: Path, text: str, message: str) -> None:
    """The error names the file and says what is wrong with it."""
    (tmp_path / "report.json").write_text(text)
    with pytest.raises(ReportUnreadable, match=message) as caught:
        read_report(tmp_path)
    assert str(tmp_path / "report.json") in caught.value.message


def test_a_report_can_be_named_in_three_ways(tmp_path: Path) -> None:
    """By its folder, its page or its data."""
    page = report.write([result(twice())], tmp_path)
    for place in (tmp_path, page, tmp_path / "report.json"):
        assert read_report(place)["verdict"] == "fail"


@pytest.mark.parametrize("value", [float("inf"), float("nan"), 10**400, "3"], ids=["inf", "nan", "huge", "text"])
def test_a_figure_of_a_stranger_that_is_none(value: object, tmp_path: Path) -> None:
    """JSON has numbers that no rehearsal has: they count as missing."""
    before = altered(made(), metrics__idle_seconds=4.0)
    comparison = compared(before, altered(before, metrics__idle_seconds=value, metrics__attempts=value), PLACES)
    figures = {item["key"]: item for item in comparison["scenarios"][0]["figures"]}
    assert figures["idle_seconds"]["b"] is None
    write_comparison(comparison, tmp_path / "page.html")
