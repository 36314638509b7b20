"""Restoring snapshots."""

from __future__ import annotations

import asyncio
import os
import shutil
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from devserver import database
from devserver.database import DatabaseLease, refuse_newer, restore_into, snapshots
from devserver.errors import DatabaseCorrupt, DatabaseError, DatabaseInUse, DatabaseTooNew

from . import state
from .conftest import SERVER, Prepare
from .servers import WAL, running


def mark(db: Path, number: int) -> None:
    """Insert a row that `marks` finds."""
    with closing(sqlite3.connect(db, isolation_level=None)) as connection:
        connection.execute("INSERT INTO queue_metadata VALUES (?, x'00', 'e', 1)", (number,))


def marks(db: Path) -> list[int]:
    """Return the rows that `mark` inserted."""
    with closing(sqlite3.connect(f"{db.as_uri()}?mode=ro", uri=True)) as connection:
        found = connection.execute("SELECT queue_type FROM queue_metadata WHERE queue_type > 50 ORDER BY 1")
        return [int(row[0]) for row in found]


@pytest.fixture
def saved(db: Path, tmp_path: Path) -> snapshots.Snapshot:
    """A snapshot with mark 60, of a file that got mark 61 later."""
    database.stamp(db, SERVER, "1.9.1")
    mark(db, 60)
    snapshot = snapshots.save(db, tmp_path / "s", "saved", server_version=SERVER, cli_version="1.9.1")
    mark(db, 61)
    return snapshot


def test_restore_reopens_workflows(quick_executable: Path, tmp_path: Path, prepare: Prepare) -> None:
    """A workflow that was open in the snapshot and has completed since is open again, and completes again."""
    db = tmp_path / "t.db"
    with running(quick_executable, db, *WAL) as server:
        asyncio.run(state.make(server.address))
        snapshot = snapshots.save(db, tmp_path / "s", server_version=SERVER)
        asyncio.run(state.check(server.address))
    restore_into(snapshot, db)
    prepare(db, executable=Path("/nowhere"))
    with running(quick_executable, db, *WAL) as server:
        asyncio.run(state.check(server.address))


def test_the_replaced_state_becomes_a_snapshot(db: Path, saved: snapshots.Snapshot, tmp_path: Path) -> None:
    """A restore can be undone by another restore."""
    backup = restore_into(saved, db)
    assert marks(db) == [60]
    assert backup is not None
    assert backup.name.startswith("before-restore-")
    assert backup in snapshots.list_(tmp_path / "s")
    assert backup.server_version == SERVER
    restore_into(backup, db)
    assert marks(db) == [60, 61]


def test_the_log_of_the_old_file_does_not_damage_the_new_one(db: Path, saved: snapshots.Snapshot) -> None:
    """The old write-ahead log is saved with the old file and removed next to the new one."""
    with closing(sqlite3.connect(db, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("INSERT INTO queue_metadata VALUES (62, x'00', 'e', 1)")
        for path in list(db.parent.iterdir()):
            shutil.copy(path, db.parent / f"copy-{path.name}")
    for path in list(db.parent.glob("copy-*")):
        path.rename(db.parent / path.name.removeprefix("copy-"))
    assert (db.parent / "temporal.db-wal").stat().st_size > 0
    backup = restore_into(saved, db)
    assert backup is not None
    assert marks(backup.database) == [60, 61, 62]
    assert marks(db) == [60]
    with closing(sqlite3.connect(db)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_the_restored_file_has_the_stamp_of_its_server(db: Path, saved: snapshots.Snapshot) -> None:
    """The next start knows whether to upgrade the file."""
    database.stamp(db, "1.40.0")
    restore_into(saved, db)
    stamp = database.read_stamp(db)
    assert stamp is not None
    assert (stamp.last_written_by, stamp.last_written_by_cli) == (SERVER, "1.9.1")
    assert db.stat().st_mode & 0o777 == 0o600


def test_a_snapshot_of_an_unknown_server_leaves_no_stamp(db: Path, saved: snapshots.Snapshot) -> None:
    """The old stamp is about another file, so it is removed and the next start compares the tables."""
    restore_into(replace(saved, server_version=None), db)
    assert database.read_stamp(db) is None


def test_a_modified_snapshot_is_refused(db: Path, saved: snapshots.Snapshot) -> None:
    """The error shows the expected and the actual hash; the server's file and stamp are unchanged."""
    with saved.database.open("r+b") as file:
        file.seek(5000)
        file.write(b"x")
    with pytest.raises(DatabaseCorrupt, match="has changed since it was saved") as raised:
        restore_into(saved, db)
    assert saved.sha256 in str(raised.value)
    assert marks(db) == [60, 61]
    assert sorted(path.name for path in db.parent.iterdir()) == ["temporal.db", "temporal.db.stamp.json"]


def test_a_snapshot_without_its_file_is_an_error(db: Path, saved: snapshots.Snapshot) -> None:
    """A snapshot without its database file changes nothing."""
    saved.database.unlink()
    with pytest.raises(DatabaseError, match="No such file"):
        restore_into(saved, db)
    assert marks(db) == [60, 61]


def test_a_file_in_use_is_not_replaced(quick_executable: Path, db: Path, saved: snapshots.Snapshot) -> None:
    """A file that another owner has leased, or that a stock server has open, is refused."""
    with DatabaseLease.acquire(db, "instance other"), pytest.raises(DatabaseInUse, match="instance other"):
        restore_into(saved, db)
    with running(quick_executable, db), pytest.raises(DatabaseInUse, match="another process"):
        restore_into(saved, db)
    assert marks(db) == [60, 61]


def test_a_damaged_file_can_be_replaced_and_is_saved_unchanged(
    db: Path, saved: snapshots.Snapshot, tmp_path: Path
) -> None:
    """A damaged file does not prevent a restore."""
    with db.open("r+b") as file:
        file.seek(4096)
        file.write(os.urandom(4096 * 30))
    damaged = db.read_bytes()
    notes: list[str] = []
    assert restore_into(saved, db, note=notes.append) is None
    assert marks(db) == [60]
    (folder,) = (tmp_path / "s").glob("damaged-*")
    assert (folder / "temporal.db").read_bytes() == damaged
    assert str(folder) in notes[0]


def test_restore_into_a_new_instance(saved: snapshots.Snapshot, tmp_path: Path) -> None:
    """The instance's folder is created, and there is no state to save first."""
    assert restore_into(saved, tmp_path / "new" / "t.db") is None
    assert marks(tmp_path / "new" / "t.db") == [60]


def test_a_full_disk_changes_nothing(
    saved: snapshots.Snapshot, db: Path, small_disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk is detected before or during the copy, and nothing changes."""
    there = small_disk / "temporal.db"
    shutil.copy(db, there)
    (small_disk / "filler").write_bytes(b"x" * (3 * 1024 * 1024 - there.stat().st_size - 100_000))
    for _ in range(2):
        with pytest.raises(DatabaseError, match="no room"):
            restore_into(saved, there)
        assert sorted(path.name for path in small_disk.iterdir()) == ["filler", "temporal.db"]
        assert marks(there) == [60, 61]
        monkeypatch.setattr("devserver.database.restore.size_of", lambda path: 0)


def test_a_snapshot_of_a_newer_server_is_refused_for_an_older_one(saved: snapshots.Snapshot) -> None:
    """It is refused before anything is stopped or replaced."""
    refuse_newer(saved, SERVER)
    refuse_newer(saved, "1.40.0")
    with pytest.raises(DatabaseTooNew, match=r"server 1\.32\.0") as raised:
        refuse_newer(saved, "1.31.2")
    assert "--version 1.9.1" in (raised.value.hint or "")
