"""The documentation pages on testing: every block of Python runs, and a failure looks as shown."""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.helpers.checkout import ROOT

from .conftest import ProjectRun

Run = Callable[..., str]
PAGES = (
    *("testing.md", "testing-activities.md", "testing-time.md", "testing-replay.md", "testing-moving.md"),
    *("versioning.md", "spans.md"),
)
# Options of a page's tests.
OPTIONS = {"testing-moving.md": ("--temporal-adopt",)}
# Pages that also show other code.
ONLY_TESTS = ("spans.md",)
BLOCK = re.compile(r"(?ms)^```python\n(.*?)^```$")
SHOWN = re.compile(r"(?ms)^```text\n(.*?)^```$")
IMPORTS = """
from datetime import datetime, timedelta, timezone

import pytest
from shop.activities import charge, ship
from shop.workflows import Order, Report, Shipment
from temporalio import activity, workflow
from temporalio.client import ScheduleOverlapPolicy
from temporalio.common import SearchAttributeKey, SearchAttributePair, TypedSearchAttributes
from temporalio.worker import Worker
"""


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A copy of the example project, without its tests."""
    project = shutil.copytree(ROOT / "examples" / "shop", tmp_path / "shop")
    for path in (project / "tests").glob("*.py"):
        path.unlink()
    return project


@pytest.fixture
def run(project_run: ProjectRun) -> Run:
    """Return what pytest prints."""

    def printed(project: Path, *args: str) -> str:
        done = project_run(project, "-p", "no:xdist", *args)
        return done.stdout + done.stderr

    return printed


@pytest.mark.parametrize("name", PAGES)
def test_examples_of_a_page(name: str, shop: Path, run: Run) -> None:
    """Tests copied from a page pass, except the one that shows a failure."""
    text = (ROOT / "docs" / name).read_text()
    blocks = [block for block in BLOCK.findall(text) if "def test_total" not in block]
    if name in ONLY_TESTS:
        blocks = [block for block in blocks if "def test_" in block]
    (shop / "tests" / "test_page.py").write_text("\n\n".join([IMPORTS, *blocks]))
    printed = run(shop, "-v", *OPTIONS.get(name, ()))
    for test in re.findall(r"def (test_\w+)", "".join(blocks)):
        assert re.search(rf"::{test}\b.* PASSED", printed), printed
    assert not re.search(r"\d (failed|error)", printed), printed


def test_the_first_example_is_complete(shop: Path, run: Run) -> None:
    """It passes unchanged, in a folder with no other file."""
    first = BLOCK.findall((ROOT / "docs" / "testing.md").read_text())[0]
    (shop.parent / "test_greet.py").write_text(first)
    assert "1 passed" in run(shop.parent, "test_greet.py")


def test_the_readmes_test_is_complete(shop: Path, run: Run) -> None:
    """The three lines of the README pass with the workflow of examples/hello.py."""
    [block] = BLOCK.findall((ROOT / "README.md").read_text())
    shutil.copy(ROOT / "examples" / "hello.py", shop.parent)
    (shop.parent / "test_hello.py").write_text(f"from hello import Greet, compose\n\n\n{block}")
    assert len(block.splitlines()) == 3
    assert "1 passed" in run(shop.parent, "test_hello.py")


@pytest.mark.skipif(sys.version_info < (3, 11), reason="exceptions have notes since Python 3.11")
def test_a_failure_looks_as_shown(shop: Path, run: Run) -> None:
    """The lines of the failure on the page are printed, in this order."""
    text = (ROOT / "docs" / "testing.md").read_text()
    [block] = [block for block in BLOCK.findall(text) if "def test_total" in block]
    (shop.parent / "test_total.py").write_text("from temporalio import workflow\n\n\n" + block)
    printed = iter(plain(run(shop.parent, "test_total.py"), shop.parent))
    for line in plain(SHOWN.findall(text)[0], shop.parent):
        assert line in printed, line


def plain(text: str, folder: Path) -> list[str]:
    """Return the lines of an output without parts that differ between runs."""
    text = text.replace(f"{folder}{os.sep}", "")
    text = re.sub(r"-[0-9a-f]{12}\b", "-ID", text)
    return [re.sub(r"\+\d+\.\d+s", "+TIME", line).rstrip() for line in text.splitlines() if line.strip()]
