"""Saving, listing and deleting snapshots, on running servers too."""

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
from devserver.database.sqlite import copy_whole
from devserver.errors import DatabaseCorrupt, DatabaseError, OptionError, SnapshotExists, SnapshotUnknown
from devserver.system.files import sha256_of

from . import state
from .conftest import SERVER, Prepare
from .servers import WAL, running

WORKFLOWS = 60


def save(db: Path, folder: Path, name: str | None = None) -> snapshots.Snapshot:
    """Save as the server's author would."""
    return snapshots.save(db, folder, name, server_version=SERVER, instance="default")


def intact(db: Path) -> bool:
    """Whether SQLite finds nothing wrong."""
    with closing(sqlite3.connect(f"{db.as_uri()}?immutable=1", uri=True)) as connection:
        return bool(connection.execute("PRAGMA integrity_check").fetchone() == ("ok",))


async def start_workflows(address: str, number: int) -> None:
    """Start workflows that nobody works on."""
    client = await Client.connect(address)
    for each in range(number):
        await client.start_workflow("Nobody", id=f"w{each}", task_queue="nobody")


@pytest.mark.parametrize("journal", [WAL, ()], ids=["wal", "journal"])
def test_a_snapshot_of_a_busy_server_is_one_moment_of_it(
    real_binary: Path, tmp_path: Path, journal: tuple[str, ...]
) -> None:
    """While workflows are started, snapshots are made to the end, are intact, and the server loses nothing."""
    db = tmp_path / "t.db"
    with running(real_binary, db, *journal) as server:
        load = threading.Thread(target=asyncio.run, args=[start_workflows(server.address, WORKFLOWS)])
        load.start()
        taken = [save(db, tmp_path / "snapshots")]
        while load.is_alive():
            taken.append(save(db, tmp_path / "snapshots"))
        load.join()
        taken.append(save(db, tmp_path / "snapshots"))
    assert all(intact(each.database) for each in taken)
    with running(real_binary, taken[-1].database) as copy:
        asyncio.run(count_is(copy.address, WORKFLOWS))


async def count_is(address: str, number: int) -> None:
    """The server lists so many workflows in the end: its list follows its state a little later."""
    client = await Client.connect(address)

    async def listed() -> bool:
        return await state.count(client, "WorkflowType = 'Nobody'") == number

    await state.until(listed, f"{number} workflows in the list")


def test_a_snapshot_knows_where_it_came_from(db: Path, tmp_path: Path) -> None:
    """Its record tells time, size, hash, server and instance; only its user can read it."""
    saved = save(db, tmp_path / "snapshots", "before-the-change")
    assert snapshots.get(tmp_path / "snapshots", "before-the-change") == saved
    assert (saved.server_version, saved.instance) == (SERVER, "default")
    assert saved.sha256 == sha256_of(saved.database)
    assert saved.size == saved.database.stat().st_size
    assert saved.folder.stat().st_mode & 0o777 == 0o700
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in saved.folder.iterdir())


def test_a_snapshot_holds_what_is_only_in_the_log(db: Path, tmp_path: Path) -> None:
    """A server leaves much of its state in the write-ahead log: a copy of the file alone would lack it."""
    with closing(sqlite3.connect(db, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("INSERT INTO queue_metadata VALUES (99, x'00', 'e', 1)")
        saved = save(db, tmp_path / "snapshots")
    with closing(sqlite3.connect(f"{saved.database.as_uri()}?immutable=1", uri=True)) as copy:
        assert copy.execute("SELECT count(*) FROM queue_metadata WHERE queue_type = 99").fetchone() == (1,)


def test_snapshots_are_listed_oldest_first(db: Path, tmp_path: Path) -> None:
    """Unnamed ones are named after the time, and never overwrite each other."""
    assert snapshots.list_(tmp_path / "snapshots") == []
    names = [save(db, tmp_path / "snapshots").name for _ in range(3)]
    assert len(set(names)) == 3
    assert sorted(each.name for each in snapshots.list_(tmp_path / "snapshots")) == sorted(names)


def test_a_name_is_used_once(db: Path, tmp_path: Path) -> None:
    """The second snapshot of a name is refused, the first stays as it is."""
    first = save(db, tmp_path / "snapshots", "one")
    with pytest.raises(SnapshotExists, match="already"):
        save(db, tmp_path / "snapshots", "one")
    assert snapshots.list_(tmp_path / "snapshots") == [first]


@pytest.mark.parametrize("name", ["", ".", "..", "../up", "a/b", "-x", ".hidden", "a b", "x" * 64, "new\nline"])
def test_names_that_could_lead_elsewhere_are_refused(db: Path, tmp_path: Path, name: str) -> None:
    """For saving, getting and deleting alike."""
    with pytest.raises(OptionError, match="is not a valid snapshot name"):
        save(db, tmp_path / "s", name)
    for call in (snapshots.get, snapshots.delete):
        with pytest.raises(OptionError, match="is not a valid snapshot name"):
            call(tmp_path / "s", name)


def test_deleting_takes_one_and_leaves_the_others(db: Path, tmp_path: Path) -> None:
    """And a second time there is nothing to delete; the error says what there is."""
    kept, gone = save(db, tmp_path / "s", "kept"), save(db, tmp_path / "s", "gone")
    assert snapshots.delete(tmp_path / "s", "gone") == gone
    assert list((tmp_path / "s").iterdir()) == [kept.folder]
    with pytest.raises(SnapshotUnknown, match="kept"):
        snapshots.delete(tmp_path / "s", "gone")


def test_nothing_to_save_is_an_error(tmp_path: Path) -> None:
    """An instance that never ran has no database."""
    with pytest.raises(DatabaseError, match="does not exist"):
        save(tmp_path / "none.db", tmp_path / "s")
    assert not (tmp_path / "none.db").exists()


def test_a_damaged_database_makes_no_snapshot(db: Path, tmp_path: Path) -> None:
    """A copy of garbage would only look like safety."""
    with db.open("r+b") as file:
        file.seek(4096 * 3)
        file.write(os.urandom(4096 * 20))
    with pytest.raises(DatabaseCorrupt):
        save(db, tmp_path / "s", "bad")
    assert list((tmp_path / "s").iterdir()) == []


def test_a_full_disk_leaves_no_half_snapshot(db: Path, small_disk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither when it is seen beforehand nor when it fills up meanwhile."""
    (small_disk / "filler").write_bytes(b"x" * (3 * 1024 * 1024 - 200_000))
    with pytest.raises(DatabaseError, match="no room") as raised:
        save(db, small_disk / "snapshots")
    assert "free" in str(raised.value)
    monkeypatch.setattr("devserver.database.sqlite.size_of", lambda path: 0)
    with pytest.raises(DatabaseError, match="no room"):
        save(db, small_disk / "snapshots")
    assert list((small_disk / "snapshots").iterdir()) == []


def test_what_a_killed_save_left_is_removed_by_the_next(db: Path, tmp_path: Path) -> None:
    """It is never listed, and does not stay; one that is under way does."""
    for pid in (2**22 + 1, os.getppid()):
        (tmp_path / "s" / f".unfinished-{pid}-x").mkdir(parents=True)
    (tmp_path / "s").chmod(0o700)
    assert snapshots.list_(tmp_path / "s") == []
    save(db, tmp_path / "s", "one")
    assert sorted(path.name for path in (tmp_path / "s").iterdir()) == [f".unfinished-{os.getppid()}-x", "one"]


def test_a_link_that_someone_put_in_the_way_is_not_followed(db: Path, tmp_path: Path) -> None:
    """A copy is made where nothing is, or not at all."""
    victim = tmp_path / "victim"
    victim.write_text("precious")
    (tmp_path / "copy").symlink_to(victim)
    with pytest.raises(DatabaseError):
        copy_whole(db, tmp_path / "copy")
    assert victim.read_text() == "precious"


def test_a_snapshot_is_called_what_its_folder_is_called(db: Path, tmp_path: Path) -> None:
    """Who renames a folder by hand finds it under its new name, and can delete it."""
    saved = snapshots.save(db, tmp_path / "snapshots", "one", server_version=SERVER)
    saved.folder.rename(saved.folder.with_name("two"))
    assert [each.name for each in snapshots.list_(tmp_path / "snapshots")] == ["two"]
    assert snapshots.delete(tmp_path / "snapshots", "two").name == "two"


def test_a_copy_put_back_by_hand_still_fits_its_stamp(db: Path, tmp_path: Path, prepare: Prepare) -> None:
    """A copy keeps the number by which a stamp knows its file: nothing is compared or noted at the next start."""
    database.stamp(db, SERVER)
    saved = snapshots.save(db, tmp_path / "snapshots", "one", server_version=SERVER)
    saved.database.replace(db)
    assert prepare(db, executable=Path("/nowhere")) == []
