"""`devserver rehearse compare` and `devserver rehearse index`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from devserver.rehearsal import report
from tests.conftest import Run
from tests.helpers.rehearsed import result, run, twice


@pytest.fixture(autouse=True)
def reports(tmp_path: Path) -> None:
    """Reports of a scenario that passed before and fails after."""
    report.write([result(run(), verdict="pass", judgements=[])], tmp_path / "before")
    report.write([result(twice())], tmp_path / "after")


def test_worse_is_exit_code_1(devserver: Run, tmp_path: Path) -> None:
    """The lines name what got worse; the page and the summary have the same; the other way it is better, code 0."""
    done = devserver("rehearse", "compare", "before", "after", "--html", "page.html", "--summary", "summary.md")
    assert done.returncode == 1, done.stderr
    assert done.stdout.splitlines()[0] == "WORSE    scale up  (pass to fail)"
    assert "  worse    Repeated side effects: 0 to 1" in done.stdout
    assert "worse: 1 worse\npage: page.html\n" in done.stdout
    assert "Repeated side effects" in (tmp_path / "page.html").read_text()
    assert "| ❌ | scale up | worse | Repeated side effects" in (tmp_path / "summary.md").read_text()
    back = devserver("rehearse", "compare", "after", "before")
    assert back.returncode == 0
    assert back.stdout.endswith("better: 1 better\n")


def test_as_json(devserver: Run) -> None:
    """Both commands print documents, which fit their schemas (see `check_output`)."""
    compared = json.loads(devserver("rehearse", "compare", "before", "after", "--json").stdout)
    assert compared["verdict"] == "worse"
    index = json.loads(devserver("rehearse", "index", ".", "--json").stdout)
    assert [scenario["name"] for scenario in index["scenarios"]] == ["scale up"]


def test_the_index_of_a_folder(devserver: Run, tmp_path: Path) -> None:
    """It is written into the folder, and the scenarios are printed with their verdicts."""
    done = devserver("rehearse", "index", ".")
    assert done.returncode == 0, done.stderr
    assert "scale up" in done.stdout
    assert "2 reports\npage: index.html\n" in done.stdout
    assert (tmp_path / "index.html").exists()


def test_what_is_no_report_is_wrong_usage(devserver: Run, tmp_path: Path) -> None:
    """Exit code 2, with the file and what to name; help and unknown options belong to the right command."""
    done = devserver("rehearse", "compare", "before", "nowhere")
    assert done.returncode == 2
    assert "error: cannot read the report nowhere: No such file or directory" in done.stderr
    assert "hint: name a folder that `devserver rehearse --report` wrote" in done.stderr
    assert "Usage: devserver rehearse compare [OPTIONS] A B" in devserver("rehearse", "compare", "--help").stdout
    assert devserver("rehearse", "compare", "before").returncode == 2
    assert "devserver rehearse compare before after" in devserver("rehearse", "--help").stdout
