"""The example project is tested as its owners would test it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from devserver.store.request import Executable

SHOP = Path(__file__).parents[2] / "examples" / "shop"


@pytest.mark.parametrize("workers", ["0", "2"])
def test_the_shop_passes(tmp_path: Path, installed: Executable, workers: str) -> None:
    """A copy of examples/shop passes its own tests, without xdist's workers and with two."""
    project = shutil.copytree(SHOP, tmp_path / "shop")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-n", workers],
        cwd=project,
        env=os.environ | {"CI": "1"},
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    assert "4 passed" in done.stdout, done.stdout + done.stderr
