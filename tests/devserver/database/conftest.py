"""Fixtures of the database's tests: new files of real servers, preparation, a small disk."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from devserver import database
from devserver.database.template import template
from devserver.system.paths import Paths

from ...helpers.old_binaries import old_binary

__all__ = ["old_binary"]

SERVER = "1.32.0"
SMALL_DISK = 3 * 1024 * 1024

Prepare = Callable[..., list[str]]


@pytest.fixture(scope="session")
def fresh_file(quick_executable: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty database, as the real server creates it."""
    return template(tmp_path_factory.mktemp("schemas"), quick_executable, SERVER, print)


@pytest.fixture
def db(fresh_file: Path, tmp_path: Path) -> Path:
    """A copy of an empty database in its own folder."""
    folder = tmp_path / "state"
    folder.mkdir(mode=0o700)
    return Path(shutil.copy(fresh_file, folder / "temporal.db"))


@pytest.fixture
def prepare(paths: Paths, quick_executable: Path, fresh_file: Path) -> Prepare:
    """Prepare a file for the newest server; return the notes."""

    def run(db: Path, **options: object) -> list[str]:
        notes: list[str] = []
        settings: dict[str, object] = {"executable": quick_executable, "server_version": SERVER}
        settings |= {"backups": paths.data / "backups", "schemas": fresh_file.parent, "note": notes.append}
        database.prepare(db, **(settings | options))  # type: ignore[arg-type]
        return notes

    return run


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A folder on a disk of 3 MB."""
    folder = tmp_path / "small"
    folder.mkdir()
    mount = shutil.which("mount")
    if mount is None or os.geteuid() != 0:
        pytest.skip("mounting a disk needs root")
    command = [mount, "-t", "tmpfs", "-o", f"size={SMALL_DISK},mode=0700", "tmpfs", str(folder)]
    if subprocess.run(command, capture_output=True, check=False).returncode != 0:
        pytest.skip("mounting is not permitted here")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)
