"""Older files with newer servers and newer files with older ones, on the real executables."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from devserver import database
from devserver.database import upgrade as upgrading
from devserver.database.sqlite import integrity
from devserver.errors import DatabaseInUse, DatabaseTooNew, DatabaseTooOld
from devserver.system.paths import Paths

from . import state
from .conftest import SERVER, Prepare
from .servers import WAL, running

OLD, OLD_SERVER = "1.5.1", "1.29.1"


@pytest.fixture(scope="module")
def old_file(old_binary: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file left by a killed server 1.29.1, with state in it and a write-ahead log next to it."""
    db = tmp_path_factory.mktemp("old") / "temporal.db"
    with running(old_binary(OLD), db, *WAL) as server:
        asyncio.run(state.make(server.address))
        server.kill()
    return db


@pytest.fixture
def old(old_file: Path, tmp_path: Path) -> Path:
    """A copy of the old file and of its log."""
    folder = tmp_path / "old"
    folder.mkdir(mode=0o700)
    for path in old_file.parent.glob("temporal.db*"):
        shutil.copy(path, folder / path.name)
    return folder / "temporal.db"


def rows(db: Path, table: str = "executions_visibility") -> int:
    """Return the number of rows of a table, including the write-ahead log."""
    with closing(sqlite3.connect(f"{db.as_uri()}?mode=ro", uri=True)) as connection:
        (count,) = connection.execute(f"SELECT count(*) FROM {table}").fetchone()
        return int(count)


def test_upgrade_keeps_all_state(old: Path, prepare: Prepare, quick_executable: Path) -> None:
    """Open workflows complete, search attributes of all types are found, and schedules fire."""
    assert any("upgraded" in note for note in prepare(old))
    assert prepare(old, executable=Path("/nowhere")) == []
    with running(quick_executable, old, *WAL) as server:
        asyncio.run(state.check(server.address))


def test_the_backup_is_private_named_and_usable(
    old: Path, prepare: Prepare, paths: Paths, old_binary: Callable[[str], Path]
) -> None:
    """Its name has version and time, its mode is 0600, and the old server runs on it."""
    database.stamp(old, OLD_SERVER, OLD)
    prepare(old)
    (backup,) = (paths.data / "backups").iterdir()
    assert backup.name.startswith(f"temporal-{OLD_SERVER}-2")
    assert backup.stat().st_mode & 0o777 == 0o600
    with running(old_binary(OLD), backup) as server:
        asyncio.run(state.check(server.address))


def test_an_upgrade_leaves_no_old_files(old: Path, prepare: Prepare) -> None:
    """No old log and no temporary file is left, even of a killed upgrade."""
    (old.parent / "temporal.db.upgrade-1").write_text("left by a killed process")
    prepare(old)
    assert sorted(path.name for path in old.parent.iterdir()) == ["temporal.db", "temporal.db.stamp.json"]


def test_an_old_file_is_refused_when_upgrades_are_off(old: Path, prepare: Prepare) -> None:
    """The error says what is missing and which version can use the file, which is unchanged."""
    database.stamp(old, OLD_SERVER, OLD)
    count = rows(old)
    with pytest.raises(DatabaseTooOld, match="older server") as raised:
        prepare(old, upgrade=False)
    assert f"--version {OLD}" in (raised.value.hint or "")
    assert "--no-upgrade" in (raised.value.hint or "")
    assert "current_chasm_executions" in str(raised.value)
    assert rows(old) == count


def test_a_failed_upgrade_keeps_the_old_file_and_names_the_backup(
    old: Path, prepare: Prepare, paths: Paths, monkeypatch: pytest.MonkeyPatch, old_binary: Callable[[str], Path]
) -> None:
    """An error during the copy changes nothing: the old server runs on the file."""
    copied = []

    def fail(connection: sqlite3.Connection, table: str, *_: object) -> None:
        copied.append(table)
        if len(copied) == 10:
            connection.execute("INSERT INTO no_such_table VALUES (1)")

    monkeypatch.setattr(upgrading, "_copy_table", fail)
    with pytest.raises(DatabaseTooOld, match="could not be upgraded") as raised:
        prepare(old)
    (backup,) = (paths.data / "backups").iterdir()
    assert str(backup) in str(raised.value)
    assert not list(old.parent.glob("*upgrade*"))
    with running(old_binary(OLD), old, *WAL) as server:
        asyncio.run(state.check(server.address))


def test_a_missing_row_aborts_the_upgrade(old: Path, prepare: Prepare, fresh_file: Path, tmp_path: Path) -> None:
    """Rows are counted on both sides, so that you do not discover a loss later."""
    schemas = tmp_path / "schemas"
    schemas.mkdir(mode=0o700)
    losing = Path(shutil.copy(fresh_file, schemas))
    with closing(sqlite3.connect(losing)) as connection:
        connection.execute("CREATE TRIGGER lose BEFORE INSERT ON executions BEGIN SELECT RAISE(IGNORE); END")
        connection.commit()
    count = rows(old, "executions")
    with pytest.raises(DatabaseTooOld, match=f"0 of {count} rows of executions came over"):
        prepare(old, schemas=schemas)
    assert rows(old, "executions") == count > 0


def test_a_damaged_upgrade_result_is_discarded(old: Path, prepare: Prepare, monkeypatch: pytest.MonkeyPatch) -> None:
    """The new file is checked before it replaces the old one."""
    count = rows(old)
    real = integrity

    def damaged(connection: sqlite3.Connection) -> list[str]:
        (name,) = (row[2] for row in connection.execute("PRAGMA database_list") if row[1] == "main")
        return ["row 7 missing from index"] if ".upgrade-" in name else real(connection)

    monkeypatch.setattr(upgrading, "integrity", damaged)
    with pytest.raises(DatabaseTooOld, match="row 7 missing from index"):
        prepare(old)
    assert rows(old) == count
    assert not list(old.parent.glob("*upgrade*"))


def test_a_file_in_use_is_not_upgraded(old: Path, prepare: Prepare, old_binary: Callable[[str], Path]) -> None:
    """The stock server that uses the file is named."""
    with running(old_binary(OLD), old, *WAL) as server:
        with pytest.raises(DatabaseInUse) as raised:
            prepare(old)
        assert f"temporal (pid {server.process.pid})" in str(raised.value)
        asyncio.run(state.check(server.address))


def test_a_full_disk_aborts_an_upgrade_safely(old: Path, small_disk: Path, prepare: Prepare, paths: Paths) -> None:
    """The old file is unchanged, and the partial copy is removed."""
    small = small_disk / "temporal.db"
    count = rows(old)
    with closing(sqlite3.connect(old)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    shutil.copy(old, small)
    (small_disk / "filler").write_bytes(b"x" * (3 * 1024 * 1024 - small.stat().st_size - 300_000))
    with pytest.raises(DatabaseTooOld, match="could not be upgraded") as raised:
        prepare(small)
    assert "no room" in str(raised.value)
    assert sorted(path.name for path in small_disk.iterdir()) == ["filler", "temporal.db"]
    assert rows(small) == count
    assert list((paths.data / "backups").iterdir())


def test_a_stamp_of_a_newer_server_is_refused(db: Path, prepare: Prepare) -> None:
    """A file written by a newer server is not used by an older one, even with the same tables."""
    database.stamp(db, "1.40.0", "2.0.0")
    content = db.read_bytes()
    with pytest.raises(DatabaseTooNew) as raised:
        prepare(db)
    assert "--version 2.0.0" in (raised.value.hint or "")
    assert db.read_bytes() == content


def test_tables_of_a_newer_server_are_refused_without_a_stamp(
    db: Path, prepare: Prepare, old_binary: Callable[[str], Path], paths: Paths
) -> None:
    """A file of 1.32.0 without a stamp is refused by 1.29.1."""
    with pytest.raises(DatabaseTooNew) as raised:
        prepare(db, executable=old_binary(OLD), server_version=OLD_SERVER, schemas=paths.schemas)
    assert "current_chasm_executions" in str(raised.value)
    assert database.read_stamp(db) is None


def test_a_replaced_file_is_detected_despite_its_stamp(old: Path, db: Path, prepare: Prepare) -> None:
    """An old file copied over a stamped one is upgraded."""
    database.stamp(db, SERVER)
    with closing(sqlite3.connect(old)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    shutil.copyfile(old, db)
    assert any("was replaced since it was stamped" in note for note in prepare(db))
    assert rows(db) == rows(old)


def test_a_newer_server_of_the_same_schema_only_creates_a_backup(db: Path, prepare: Prepare, paths: Paths) -> None:
    """The old server cannot use the file afterwards, so a copy is kept; the file itself is not changed."""
    database.stamp(db, "1.31.2", "1.8.2")
    content = db.read_bytes()
    prepare(db)
    assert db.read_bytes() == content
    assert [path.name[:15] for path in (paths.data / "backups").iterdir()] == ["temporal-1.31.2"]
    stamp = database.read_stamp(db)
    assert stamp is not None
    assert (stamp.made_by, stamp.last_written_by) == ("1.31.2", SERVER)


def test_a_note_about_tables_that_are_not_copied(old: Path, prepare: Prepare, paths: Paths) -> None:
    """A table that the newer schema does not have stays in the backup, and a note says so."""
    with closing(sqlite3.connect(old, isolation_level=None)) as connection:
        connection.execute("CREATE TABLE retired (x)")
        connection.execute("INSERT INTO retired VALUES (1)")
    database.stamp(old, OLD_SERVER, OLD)
    assert any("retired (1 rows)" in note for note in prepare(old))
    (backup,) = (paths.data / "backups").iterdir()
    assert rows(backup, "retired") == 1


def test_an_additional_table_survives_when_no_upgrade_is_needed(db: Path, prepare: Prepare) -> None:
    """A newer server of the same schema leaves the file unchanged."""
    with closing(sqlite3.connect(db)) as connection:
        connection.execute("CREATE TABLE mine (x)")
    database.stamp(db, "1.31.2", "1.8.2")
    prepare(db)
    assert rows(db, "mine") == 0


KILLED = """
import os, sys
from pathlib import Path
from devserver import database
from devserver.database import upgrade
prepare = sys.modules["devserver.database.prepare"]
def die(*_): os.kill(os.getpid(), 9)
setattr({"replace_file": upgrade, "write_stamp": prepare}[sys.argv[1]], sys.argv[1], die)
db, executable, folder = (Path(each) for each in sys.argv[2:5])
options = {"backups": folder / "b", "schemas": folder, "note": print}
database.prepare(db, executable=executable, server_version=sys.argv[5], **options)
"""


@pytest.mark.parametrize("moment", ["replace_file", "write_stamp"])
def test_a_killed_upgrade_is_completed_by_the_next_start(
    moment: str, old: Path, prepare: Prepare, quick_executable: Path, fresh_file: Path
) -> None:
    """If it is killed just before or after the replacement, the file is either the old or the new one."""
    database.stamp(old, OLD_SERVER, OLD)
    count = rows(old)
    arguments = [str(old), str(quick_executable), str(fresh_file.parent), SERVER]
    done = subprocess.run([sys.executable, "-c", KILLED, moment, *arguments], check=False, capture_output=True)
    assert done.returncode == -9, done.stderr
    assert rows(old) == count
    prepare(old)
    assert sorted(path.name for path in old.parent.iterdir()) == ["temporal.db", "temporal.db.stamp.json"]
    with running(quick_executable, old, *WAL) as server:
        asyncio.run(state.check(server.address))
