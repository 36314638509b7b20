"""Past rehearsals: what is kept, for how long, and what their trends say."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from devserver.rehearsal import archive, report
from devserver.rehearsal.archive import RehearsalArchive
from devserver.rehearsal.scenario.result import Judgement, Verdict
from devserver.rehearsal.trends import trends
from devserver.system.paths import Paths
from tests.helpers.rehearsed import result, run


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    """Paths of this test: other tests of this folder share theirs."""
    return Paths(tmp_path / "cache", tmp_path / "state", tmp_path / "data")


@pytest.fixture
def past(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> RehearsalArchive:
    """An archive in which each call has a second of its own."""
    times = (f"20260301T{number:06}Z" for number in range(1, 1000))
    monkeypatch.setattr(archive, "utc_for_names", lambda: next(times))
    return RehearsalArchive(paths)


def add(past: RehearsalArchive, verdict: Verdict, *names: str, scenario: str = "scale up") -> str:
    """Keep a run whose expectations have this verdict; its id."""
    judgements = [Judgement(name, verdict, f"it is {verdict}") for name in names or ("completes",)]
    kept = past.add(report.data([result(run(), name=scenario, verdict=verdict, judgements=judgements)]))
    assert kept is not None
    return kept


def test_a_report_is_kept_whole(past: RehearsalArchive, paths: Paths) -> None:
    """Another process reads the list and the whole report of a run."""
    kept = add(past, "pass")
    (row,) = RehearsalArchive(paths).all()
    assert (row.name, row.verdict, row.seed, row.run) == ("scale up", "pass", 7, kept)
    shape = RehearsalArchive(paths).report(kept)
    assert shape is not None
    assert shape["results"][0]["expectations"][0]["name"] == "completes"


@pytest.mark.parametrize("run_id", ["", "../../secret", "20260301T000001Z-1/../x", "x" * 300, "\0"])
def test_an_id_of_others_reads_nothing(past: RehearsalArchive, run_id: str) -> None:
    """A path in place of an id is no report."""
    add(past, "pass")
    assert past.report(run_id) is None


def test_only_the_last_ones_are_kept(past: RehearsalArchive, monkeypatch: pytest.MonkeyPatch) -> None:
    """The folder does not grow for ever: neither in number nor in bytes."""
    monkeypatch.setattr(archive, "MOST_RUNS", 3)
    kept = [add(past, "pass") for _ in range(5)]
    assert [row.run for row in past.all()] == kept[-3:]
    assert past.report(kept[0]) is None
    monkeypatch.setattr(archive, "MOST_BYTES", 10)
    last = add(past, "pass")
    assert [row.run for row in past.all()] == [last]


def test_damaged_and_foreign_files_are_left_out(past: RehearsalArchive) -> None:
    """A half-written summary, one of another version and a stranger's file do not hide the others."""
    kept = add(past, "pass")
    (past.folder / "20260301T000900Z-1.json").write_text('{"created": "x", "results": [{"new": 1}]}')
    (past.folder / "20260301T000901Z-1.json").write_text("{")
    (past.folder / "notes.json").write_text("{}")
    assert [row.run for row in past.all()] == [kept]


def test_a_folder_that_cannot_be_written_keeps_nothing(past: RehearsalArchive, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk costs the record, not the rehearsal."""

    def full(*_: object) -> None:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(archive, "write_private", full)
    assert past.add(report.data([result(run())])) is None
    assert past.all() == []
    assert list(past.folder.iterdir()) == []


@pytest.mark.parametrize(
    ("verdicts", "worse", "better"),
    [
        (["pass", "pass", "fail", "fail"], 2, None),
        (["pass", "unknown"], 1, None),
        (["unknown", "fail", "fail"], 1, None),
        (["fail", "fail", "pass"], None, 2),
        (["fail", "pass", "fail"], 2, None),
        (["fail", "fail"], None, None),
        (["pass"], None, None),
    ],
)
def test_since_when_an_expectation_is_worse(
    past: RehearsalArchive, verdicts: Sequence[Verdict], worse: int | None, better: int | None
) -> None:
    """The trend names the first run of those in which it is as it is now."""
    runs = [add(past, verdict) for verdict in verdicts]
    add(past, "pass", scenario="another")
    trend = next(item for item in trends(past.all()) if item.last.name == "scale up")
    (expectation,) = trend.expectations
    assert expectation.verdicts == verdicts
    since = [item.run if item else None for item in (expectation.worse_since, expectation.better_since)]
    assert since == [runs[worse] if worse is not None else None, runs[better] if better is not None else None]


def test_what_got_worse_comes_first(past: RehearsalArchive) -> None:
    """An expectation that is new has no past; one that got worse stands above one that always failed."""
    add(past, "pass", "b")
    judgements = [Judgement("new", "pass", ""), Judgement("always", "fail", ""), Judgement("b", "fail", "broke")]
    past.add(report.data([result(run(), judgements=judgements)]))
    (trend,) = trends(past.all())
    assert [item.name for item in trend.expectations] == ["b", "always", "new"]
    assert [item.name for item in trend.worse] == ["b"]
    assert trend.expectations[2].verdicts == [None, "pass"]


def test_a_damaged_report_is_gone(past: RehearsalArchive) -> None:
    """Wherever a byte has changed, there is no report, and no error."""
    kept = add(past, "pass")
    file = past.folder / f"{kept}{archive.REPORT}"
    whole = file.read_bytes()
    for place in (0, len(whole) // 2, len(whole) - 5):
        file.write_bytes(whole[:place] + bytes([whole[place] ^ 0xFF]) + whole[place + 1 :])
        assert past.report(kept) is None
