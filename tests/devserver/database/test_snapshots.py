"""Saving, listing and deleting snapshots, also of running servers."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import pytest
from temporalio.client import Client

from devserver import database
from devserver.database import snapshots
from devserver.database.errors import SnapshotExists, SnapshotUnknown
from devserver.database.sqlite import copy_whole
from devserver.errors import DatabaseCorrupt, DatabaseError, OptionError
from devserver.system.files import sha256_of

from . import state
from .conftest import SERVER, Prepare
from .servers import WAL, running

WORKFLOWS = 60


def save(db: Path, folder: Path, name: str | None = None) -> snapshots.Snapshot:
    """Save a snapshot of this database."""
    return snapshots.save(db, folder, name, server_version=SERVER, instance="default")


def intact(db: Path) -> bool:
    """Return whether SQLite's integrity check passes."""
    with closing(sqlite3.connect(f"{db.as_uri()}?immutable=1", uri=True)) as connection:
        return bool(connection.execute("PRAGMA integrity_check").fetchone() == ("ok",))


async def start_workflows(address: str, number: int) -> None:
    """Start workflows that no worker runs."""
    client = await Client.connect(address)
    for index in range(number):
        await client.start_workflow("Nobody", id=f"w{index}", task_queue="nobody")


@pytest.mark.parametrize("journal", [WAL, ()], ids=["wal", "journal"])
def test_snapshots_of_a_busy_server_are_consistent(
    quick_executable: Path, tmp_path: Path, journal: tuple[str, ...]
) -> None:
    """Snapshots taken while workflows start are complete and intact, and the server loses nothing."""
    db = tmp_path / "t.db"
    with running(quick_executable, db, *journal) as server:
        load = threading.Thread(target=asyncio.run, args=[start_workflows(server.address, WORKFLOWS)])
        load.start()
        taken = [save(db, tmp_path / "snapshots")]
        while load.is_alive():
            taken.append(save(db, tmp_path / "snapshots"))
        load.join()
        taken.append(save(db, tmp_path / "snapshots"))
    assert all(intact(snapshot.database) for snapshot in taken)
    with running(quick_executable, taken[-1].database) as copy:
        asyncio.run(wait_for_count(copy.address, WORKFLOWS))


async def wait_for_count(address: str, number: int) -> None:
    """Wait until the server lists this many workflows: its list is a little behind its state."""
    client = await Client.connect(address)

    async def listed() -> bool:
        return await state.count(client, "WorkflowType = 'Nobody'") == number

    await state.until(listed, f"{number} workflows in the list")


def test_the_record_of_a_snapshot(db: Path, tmp_path: Path) -> None:
    """The record has time, size, hash, server and instance; only this user can read it."""
    saved = save(db, tmp_path / "snapshots", "before-the-change")
    assert snapshots.get(tmp_path / "snapshots", "before-the-change") == saved
    assert (saved.server_version, saved.instance) == (SERVER, "default")
    assert saved.sha256 == sha256_of(saved.database)
    assert saved.size == saved.database.stat().st_size
    assert saved.folder.stat().st_mode & 0o777 == 0o700
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in saved.folder.iterdir())


def test_a_snapshot_includes_the_write_ahead_log(db: Path, tmp_path: Path) -> None:
    """Much of a server's state is in the write-ahead log, so a copy of the file alone is incomplete."""
    with closing(sqlite3.connect(db, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("INSERT INTO queue_metadata VALUES (99, x'00', 'e', 1)")
        saved = save(db, tmp_path / "snapshots")
    with closing(sqlite3.connect(f"{saved.database.as_uri()}?immutable=1", uri=True)) as copy:
        assert copy.execute("SELECT count(*) FROM queue_metadata WHERE queue_type = 99").fetchone() == (1,)


def test_snapshots_are_listed_oldest_first(db: Path, tmp_path: Path) -> None:
    """Unnamed snapshots are named by time and never overwrite each other."""
    assert snapshots.list_(tmp_path / "snapshots") == []
    names = [save(db, tmp_path / "snapshots").name for _ in range(3)]
    assert len(set(names)) == 3
    assert sorted(snapshot.name for snapshot in snapshots.list_(tmp_path / "snapshots")) == sorted(names)


def test_names_are_unique(db: Path, tmp_path: Path) -> None:
    """A second snapshot of the same name is refused, and the first is unchanged."""
    first = save(db, tmp_path / "snapshots", "one")
    with pytest.raises(SnapshotExists, match="already"):
        save(db, tmp_path / "snapshots", "one")
    assert snapshots.list_(tmp_path / "snapshots") == [first]


@pytest.mark.parametrize("name", ["", ".", "..", "../up", "a/b", "-x", ".hidden", "a b", "x" * 64, "new\nline"])
def test_names_that_are_paths_are_refused(db: Path, tmp_path: Path, name: str) -> None:
    """Saving, getting and deleting refuse such names."""
    with pytest.raises(OptionError, match="is not a valid snapshot name"):
        save(db, tmp_path / "s", name)
    for call in (snapshots.get, snapshots.delete):
        with pytest.raises(OptionError, match="is not a valid snapshot name"):
            call(tmp_path / "s", name)


def test_delete_removes_one_snapshot(db: Path, tmp_path: Path) -> None:
    """The others are kept, and a second delete is an error that lists them."""
    remaining, deleted = save(db, tmp_path / "s", "kept"), save(db, tmp_path / "s", "gone")
    assert snapshots.delete(tmp_path / "s", "gone") == deleted
    assert list((tmp_path / "s").iterdir()) == [remaining.folder]
    with pytest.raises(SnapshotUnknown, match="kept"):
        snapshots.delete(tmp_path / "s", "gone")


def test_nothing_to_save_is_an_error(tmp_path: Path) -> None:
    """An instance that never ran has no database to save."""
    with pytest.raises(DatabaseError, match="does not exist"):
        save(tmp_path / "none.db", tmp_path / "s")
    assert not (tmp_path / "none.db").exists()


def test_a_damaged_database_is_not_saved(db: Path, tmp_path: Path) -> None:
    """A snapshot of a damaged file would be useless."""
    with db.open("r+b") as file:
        file.seek(4096 * 3)
        file.write(os.urandom(4096 * 20))
    with pytest.raises(DatabaseCorrupt):
        save(db, tmp_path / "s", "bad")
    assert list((tmp_path / "s").iterdir()) == []


def test_a_full_disk_leaves_no_half_snapshot(db: Path, small_disk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk is detected before or during the copy, and no partial snapshot is left."""
    (small_disk / "filler").write_bytes(b"x" * (3 * 1024 * 1024 - 200_000))
    with pytest.raises(DatabaseError, match="no room") as raised:
        save(db, small_disk / "snapshots")
    assert "free" in str(raised.value)
    monkeypatch.setattr("devserver.database.sqlite.size_of", lambda path: 0)
    with pytest.raises(DatabaseError, match="no room"):
        save(db, small_disk / "snapshots")
    assert list((small_disk / "snapshots").iterdir()) == []


def test_a_killed_save_is_cleaned_up_by_the_next(db: Path, tmp_path: Path) -> None:
    """An unfinished snapshot is never listed, and is removed unless it is still being written."""
    for pid in (2**22 + 1, os.getppid()):
        (tmp_path / "s" / f".unfinished-{pid}-x").mkdir(parents=True)
    (tmp_path / "s").chmod(0o700)
    assert snapshots.list_(tmp_path / "s") == []
    save(db, tmp_path / "s", "one")
    assert sorted(path.name for path in (tmp_path / "s").iterdir()) == [f".unfinished-{os.getppid()}-x", "one"]


def test_a_link_at_the_target_is_not_followed(db: Path, tmp_path: Path) -> None:
    """A snapshot is only written where no file exists."""
    victim = tmp_path / "victim"
    victim.write_text("precious")
    (tmp_path / "copy").symlink_to(victim)
    with pytest.raises(DatabaseError):
        copy_whole(db, tmp_path / "copy")
    assert victim.read_text() == "precious"


def test_a_snapshot_is_named_by_its_folder(db: Path, tmp_path: Path) -> None:
    """A folder that you rename is listed and deleted by its new name."""
    saved = snapshots.save(db, tmp_path / "snapshots", "one", server_version=SERVER)
    saved.folder.rename(saved.folder.with_name("two"))
    assert [snapshot.name for snapshot in snapshots.list_(tmp_path / "snapshots")] == ["two"]
    assert snapshots.delete(tmp_path / "snapshots", "two").name == "two"


def test_a_copy_put_back_by_hand_still_fits_its_stamp(db: Path, tmp_path: Path, prepare: Prepare) -> None:
    """A copy keeps the stamp valid, so the next start neither compares tables nor prints a note."""
    database.stamp(db, SERVER)
    saved = snapshots.save(db, tmp_path / "snapshots", "one", server_version=SERVER)
    saved.database.replace(db)
    assert prepare(db, executable=Path("/nowhere")) == []
