"""The guard that finds processes left behind by tests."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import LeakGuard, end_processes_of

COMMAND = ["sleep", "300"]


@pytest.fixture
def left_home(tmp_path: Path) -> Iterator[Path]:
    """The home of a test that leaves a process behind."""
    home = tmp_path / "left"
    yield home
    assert end_processes_of(home) == []


def leave(home: Path) -> subprocess.Popen[bytes]:
    """Start a process that does not exit by itself."""
    return subprocess.Popen(COMMAND, env={**os.environ, "HOME": str(home)})


def test_a_process_that_a_test_leaves_is_found_and_killed(left_home: Path) -> None:
    """The guard returns its command line."""
    guard = LeakGuard(patience=0)
    with leave(left_home) as process:
        assert guard.left_by_test(left_home) == [" ".join(COMMAND)]
    assert process.returncode < 0
    assert guard.left_by_test(left_home) == []


def test_a_process_that_exits_in_time_is_not_a_leak(left_home: Path) -> None:
    """Processes have some seconds to exit."""
    guard = LeakGuard(patience=60)
    with leave(left_home) as process:
        process.terminate()
        assert guard.left_by_test(left_home) == []


def test_the_module_check_finds_what_the_test_check_missed(left_home: Path) -> None:
    """After a test the guard skips known processes; after a module it checks all."""
    with leave(left_home) as process:
        guard = LeakGuard(patience=0)
        assert guard.left_by_test(left_home) == []
        assert guard.left_by_module() == [" ".join(COMMAND)]
    assert process.returncode < 0
