"""The example project, tested like a user's project."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from devserver.executables.models import Executable
from tests.helpers.checkout import ROOT

SHOP = ROOT / "examples" / "shop"


@pytest.mark.parametrize(
    ("args", "outcome"),
    [(("-n", "0"), "5 passed"), (("-n", "2"), "5 passed"), (("--temporal-replay-from", "tests/histories"), "8 passed")],
    ids=["n0", "n2", "replay"],
)
def test_the_shop_passes(tmp_path: Path, installed: Executable, args: tuple[str, ...], outcome: str) -> None:
    """A copy of examples/shop passes its tests without xdist and with two workers, and replays its recordings."""
    done = shop(tmp_path, *args)
    assert outcome in done.stdout, done.stdout + done.stderr


def test_the_recordings_of_the_shop_are_current(tmp_path: Path, installed: Executable) -> None:
    """Recording the shop's tests again writes exactly the existing files."""
    done = shop(tmp_path, "--temporal-record", "again")
    assert "8 histories written" in done.stdout, done.stdout + done.stderr
    again, before = (
        {path.relative_to(folder) for path in folder.rglob("*.json")}
        for folder in (tmp_path / "shop" / "again", tmp_path / "shop" / "tests" / "histories")
    )
    assert again == before


def shop(tmp_path: Path, *args: str) -> subprocess.CompletedProcess[str]:
    """Run pytest in a copy of the example."""
    project = shutil.copytree(SHOP, tmp_path / "shop")
    return subprocess.run(
        [sys.executable, "-m", "pytest", *args],
        cwd=project,
        env=os.environ | {"CI": "1"},
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
