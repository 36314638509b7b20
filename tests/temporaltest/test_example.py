"""The example project and what `devserver new` writes, tested like a user's project."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from devserver.executables.models import Executable
from devserver.projects import TEMPLATES, create
from tests.helpers.checkout import ROOT

from .conftest import ProjectRun


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A copy of the example project."""
    return shutil.copytree(ROOT / "examples" / "shop", tmp_path / "shop")


@pytest.mark.parametrize(
    ("args", "outcome"),
    [(("-n", "0"), "5 passed"), (("-n", "2"), "5 passed"), (("--temporal-replay-from", "tests/histories"), "8 passed")],
    ids=["n0", "n2", "replay"],
)
def test_the_shop_passes(shop: Path, project_run: ProjectRun, args: tuple[str, ...], outcome: str) -> None:
    """A copy of examples/shop passes its tests without xdist and with two workers, and replays its recordings."""
    done = project_run(shop, *args)
    assert outcome in done.stdout, done.stdout + done.stderr


def test_the_recordings_of_the_shop_are_current(shop: Path, project_run: ProjectRun) -> None:
    """Recording the shop's tests again writes exactly the existing files."""
    done = project_run(shop, "--temporal-record", "again")
    assert "8 histories written" in done.stdout, done.stdout + done.stderr
    again, before = (
        {path.relative_to(folder) for path in folder.rglob("*.json")}
        for folder in (shop / "again", shop / "tests" / "histories")
    )
    assert again == before


@pytest.mark.parametrize(
    ("template", "args", "outcome"),
    [
        ("hello", (), "2 passed"),
        ("orders", (), "3 passed"),
        ("cluster", (), "4 passed"),
        ("gamedays", (), "4 passed"),
        ("rehearsal", ("-k", "lost or stops"), "2 passed, 5 deselected"),
    ],
)
def test_a_new_project_passes_its_tests(
    tmp_path: Path, installed: Executable, project_run: ProjectRun, template: str, args: tuple[str, ...], outcome: str
) -> None:
    """Its tests pass as they were written; of the rehearsals, which take long, two are run."""
    created = create(TEMPLATES[template], tmp_path / "mine")
    done = project_run(created.folder, "-p", "no:xdist", *args)
    assert outcome in done.stdout, done.stdout + done.stderr
