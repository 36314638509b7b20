"""Older files under newer servers, on the real executables."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from devserver import database
from devserver.errors import DatabaseInUse, DatabaseTooNew, DatabaseTooOld
from devserver.paths import Paths

from . import state
from .servers import WAL, running

pytest_plugins: list[str] = []
OLD, OLD_SERVER = "1.5.1", "1.29.1"
NEW_SERVER = "1.32.0"

Prepare = Callable[..., list[str]]


@pytest.fixture
def prepare(paths: Paths, real_binary: Path) -> Prepare:
    """Prepare a file for the newest server; what was noted."""

    def run(db: Path, **options: object) -> list[str]:
        notes: list[str] = []
        settings: dict[str, object] = {"executable": real_binary, "server_version": NEW_SERVER}
        settings |= {"backups": paths.data / "backups", "schemas": paths.cache / "schemas", "note": notes.append}
        database.prepare(db, **(settings | options))  # type: ignore[arg-type]
        return notes

    return run


@pytest.fixture(scope="module")
def old_file(old_binary: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file that a killed server 1.29.1 left, with work in it, its log beside it."""
    db = tmp_path_factory.mktemp("old") / "temporal.db"
    with running(old_binary(OLD), db, *WAL) as server:
        asyncio.run(state.make(server.address))
        server.kill()
    return db


@pytest.fixture
def old(old_file: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    for path in old_file.parent.glob("temporal.db*"):
        shutil.copy(path, tmp_path / path.name)
    return tmp_path / "temporal.db"


def test_a_newer_server_goes_on_with_everything_an_older_one_kept(
    old: Path, prepare: Prepare, real_binary: Path
) -> None:
    """Open workflows complete, lists find text, keywords and lists of them, schedules fire."""
    notes = prepare(old)
    assert any("upgraded" in note for note in notes)
    with running(real_binary, old) as server:
        asyncio.run(state.check(server.address))
