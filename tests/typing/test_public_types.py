"""The public types, as users' type checkers see them."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.helpers.checkout import ROOT


@pytest.mark.slow
def test_the_public_types() -> None:
    """Results are typed, and wrong arguments are type errors (an unused ignore fails)."""
    command = [
        sys.executable,
        "-m",
        "mypy",
        "--strict",
        "tests/typing/public_types.py",
    ]  # with the cache of `make types`
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
