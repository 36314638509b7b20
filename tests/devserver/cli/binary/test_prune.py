"""`devserver binary prune`: shows what it removes, and why it keeps the rest."""

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


def test_empty_store(devserver: Run) -> None:
    """With nothing to remove, the command says so and exits with 0."""
    done = devserver("binary", "prune")
    assert (done.stdout, done.returncode) == ("nothing is installed\n", 0)


@pytest.mark.usefixtures("two")
def test_a_dry_run_removes_nothing(devserver: Run) -> None:
    """`--dry-run` lists what would be removed, and the real run removes exactly that."""
    assert devserver("binary", "prune", "--dry-run", "--keep", "9.8.0").stdout == (
        "kept temporal 9.8.0: kept with --keep\nwould remove temporal 9.9.0\nwould free 1 MB\n"
    )
    assert devserver("binary", "prune", "--keep", "9.8.0").stdout == (
        "kept temporal 9.8.0: kept with --keep\nremoved temporal 9.9.0\nfreed 1 MB\n"
    )
    assert devserver("binary", "prune", "--all").stdout == "removed temporal 9.8.0\nfreed 1 MB\n"


def test_a_mistyped_version_removes_nothing(devserver: Run) -> None:
    """A mistyped version exits with code 2."""
    assert devserver("binary", "prune", "--keep", "x").returncode == 2
