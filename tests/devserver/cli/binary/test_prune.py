"""`devserver binary prune`: says what it removes and why something stays."""

from __future__ import annotations

import pytest

from devserver.executables import BinaryRequest
from devserver.executables.resolve import ensure
from devserver.system.paths import Paths
from tests.conftest import Run
from tests.helpers.download_service import DownloadService, script, tar_gz


@pytest.fixture
def two(paths: Paths, service: DownloadService) -> None:
    """Versions 9.8.0 and 9.9.0 are installed."""
    for version in ("9.8.0", "9.9.0"):
        service.archive = tar_gz(("temporal", script(version) + b"#" * 1_000_000))
        ensure(BinaryRequest(version=version, source="release", base_url=service.url), paths=paths)


def test_an_empty_store_is_told(devserver: Run) -> None:
    """Nothing to do is no failure."""
    done = devserver("binary", "prune")
    assert (done.stdout, done.returncode) == ("nothing is installed\n", 0)


@pytest.mark.usefixtures("two")
def test_a_dry_run_removes_nothing(devserver: Run) -> None:
    """It tells what would go; the real run then does just that."""
    assert devserver("binary", "prune", "--dry-run", "--keep", "9.8.0").stdout == (
        "kept temporal 9.8.0: kept with --keep\nwould remove temporal 9.9.0\nwould free 1 MB\n"
    )
    assert devserver("binary", "prune", "--keep", "9.8.0").stdout == (
        "kept temporal 9.8.0: kept with --keep\nremoved temporal 9.9.0\nfreed 1 MB\n"
    )
    assert devserver("binary", "prune", "--all").stdout == "removed temporal 9.8.0\nfreed 1 MB\n"


def test_a_mistyped_version_removes_nothing(devserver: Run) -> None:
    """Exit code 2."""
    assert devserver("binary", "prune", "--keep", "x").returncode == 2
