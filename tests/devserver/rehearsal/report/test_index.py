"""An index of many reports."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from devserver.rehearsal import report
from devserver.rehearsal.report.index import index_data, write_index
from devserver.rehearsal.report.stored import ReportUnreadable
from devserver.rehearsal.scenario.result import Judgement
from tests.devserver.rehearsal.report.test_page import HOSTILE, Page
from tests.helpers.rehearsed import result, run, twice


def put(folder: Path, day: int, *results: Any) -> None:
    """Write a report that was made on a day."""
    report.write(results, folder)
    file = folder / "report.json"
    shape = json.loads(file.read_text())
    file.write_text(json.dumps({**shape, "created": f"2026-03-{day:02}T12:00:00+00:00"}))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Four reports of two scenarios: "grow" got worse on the second day, "shrink" always passes."""
    good = result(run(), verdict="pass", name="shrink", judgements=[Judgement("completes", "pass", "it did")])
    for day, name in ((3, "c"), (1, "a"), (4, "d & <e>"), (2, "nested/b")):
        grown = result(twice(), name="grow") if day > 1 else result(run(), name="grow", verdict="pass", judgements=[])
        put(tmp_path / name, day, good, grown)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "report.json").write_text("of another tool")
    return tmp_path


def test_a_scenario_over_time(folder: Path) -> None:
    """The verdicts of each scenario by time, since when it has the last one, and since when an expectation is unmet."""
    shape = index_data(folder)
    assert [item["path"] for item in shape["reports"]] == [
        "a/report.json",
        "nested/b/report.json",
        "c/report.json",
        "d & <e>/report.json",
    ]
    grow, shrink = shape["scenarios"]
    assert (grow["name"], grow["verdict"], grow["since"]) == ("grow", "fail", "2026-03-02T12:00:00+00:00")
    assert [item["verdict"] for item in grow["runs"]] == ["pass", "fail", "fail", "fail"]
    assert grow["unmet"] == [{"name": "add_node exactly once", "since": "2026-03-02T12:00:00+00:00"}]
    assert (shrink["verdict"], shrink["since"]) == ("pass", "2026-03-01T12:00:00+00:00")
    (skipped,) = shape["skipped"]
    assert "is not JSON" in skipped


def test_the_page_leads_to_the_reports(folder: Path) -> None:
    """Each verdict is a link to its place in a report that exists; names of folders are quoted."""
    page = Page(write_index(folder, index_data(folder)).read_text())
    links = [str(each["href"]) for each in page.of("a")]
    assert "./d%20%26%20%3Ce%3E/report.html#r2" in links
    assert "./nested/b/report.html#r1" in links
    assert "1 of 2 scenarios did not pass last time" in (folder / "index.html").read_text()


def test_hostile_names_stay_text(tmp_path: Path) -> None:
    """Names with markup, and folders whose names are URLs, add no element and lead nowhere else."""
    put(tmp_path / "javascript:alert(1)", 1, result(twice(), name=HOSTILE, judgements=[Judgement(HOSTILE, "fail", "")]))
    text = write_index(tmp_path, index_data(tmp_path)).read_text()
    page = Page(text)
    assert page.open == []
    assert {"script", "img"} & {tag for tag, _ in page.elements} == set()
    assert all(str(each["href"]).startswith("./javascript%3A") for each in page.of("a"))


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("verdict", []),
        ("verdict", {}),
        ("seconds", float("inf")),
        ("seconds", 10**400),
        ("metrics", {"recovery_seconds": "1"}),
    ],
    ids=["list", "object", "inf", "huge", "text"],
)
def test_a_report_of_a_stranger_does_not_end_the_index(folder: Path, key: str, value: Any) -> None:
    """A result with values that no report has is skipped, and a pipe is no report."""
    file = folder / "c" / "report.json"
    shape = json.loads(file.read_text())
    shape["results"][0][key] = value
    file.write_text(json.dumps(shape))
    (folder / "pipe").mkdir()
    os.mkfifo(folder / "pipe" / "report.json")
    found = index_data(folder)
    assert len(found["reports"]) == 3
    assert any("its results are incomplete" in reason for reason in found["skipped"])


def test_a_folder_without_reports(tmp_path: Path) -> None:
    """It is an error that names the folder, as is a missing folder."""
    with pytest.raises(ReportUnreadable, match="there is no report in"):
        index_data(tmp_path)
    with pytest.raises(ReportUnreadable, match="there is no folder"):
        index_data(tmp_path / "nowhere")
