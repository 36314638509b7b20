"""Writing a report: complete or not at all, also on a full disk; the package includes the templates."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from devserver.rehearsal import report
from devserver.rehearsal.report import ReportNotWritten
from devserver.system.json_form import FORM
from tests.helpers.checkout import ROOT
from tests.helpers.rehearsed import result, run, twice


def test_page_and_json(tmp_path: Path) -> None:
    """Both files are in the folder, which is created, and nothing else is."""
    page = report.write([result(twice())], tmp_path / "new" / "folder")
    assert sorted(file.name for file in page.parent.iterdir()) == ["report.html", "report.json"]
    shape = json.loads((page.parent / "report.json").read_text())
    assert shape["form"] == FORM
    assert shape["results"][0]["repeated_effects"][0]["key"] == "node-5"
    assert page.read_text().startswith("<!DOCTYPE html>")


def test_a_full_disk_keeps_the_old_report(tmp_path: Path) -> None:
    """The error names the folder, no partial file is left, and the old report is intact."""
    if os.geteuid() != 0 or shutil.which("mount") is None:
        pytest.skip("mounting a disk needs root")
    folder = tmp_path / "small"
    folder.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=100k", "tmpfs", str(folder)], check=False).returncode:
        pytest.skip("mounting is not permitted here")
    try:
        report.write([result(run())], folder)
        before = {file.name: file.read_text() for file in folder.iterdir()}
        (folder / "filler").write_bytes(b"x" * 20_000)
        with pytest.raises(ReportNotWritten) as caught:
            report.write([result(twice(), name=f"turn {number}") for number in range(20)], folder)
        (folder / "filler").unlink()
        assert {file.name: file.read_text() for file in folder.iterdir()} == before
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)
    assert caught.value.message == f"cannot write the report into {folder}: No space left on device"
    assert "--report" in str(caught.value.hint)


def test_a_file_in_place_of_the_folder(tmp_path: Path) -> None:
    """The error names the path, and the file is unchanged."""
    (tmp_path / "taken").write_text("mine")
    with pytest.raises(ReportNotWritten, match="taken"):
        report.write([], tmp_path / "taken")
    assert (tmp_path / "taken").read_text() == "mine"


def test_the_wheel_has_the_page_s_templates(tmp_path: Path) -> None:
    """An installed package can write reports."""
    words = [sys.executable, "-m", "uv", "build", "--wheel", "--out-dir", str(tmp_path), str(ROOT)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode != 0 and "hatchling" in done.stderr:
        pytest.skip("building a wheel needs hatchling from the package index")
    assert done.returncode == 0, done.stderr
    (wheel,) = tmp_path.glob("*.whl")
    templates = {file.name for file in (ROOT / "devserver/rehearsal/report/templates").iterdir()}
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {f"devserver/rehearsal/report/templates/{name}" for name in templates} <= names
