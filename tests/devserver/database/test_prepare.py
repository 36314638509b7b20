"""Preparing a file before a server starts: the fast path, and every kind of bad file."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from devserver import database
from devserver.database.header import read_header
from devserver.errors import DatabaseCorrupt, DatabaseError, DatabaseInUse, StartFailed

from .conftest import SERVER, Prepare
from .servers import WAL, running

QUICK = """
import sys
from pathlib import Path
from devserver import database
db = Path(sys.argv[1])
with database.DatabaseLease.acquire(db, "test"):
    database.prepare(db, executable=Path("/nowhere"), server_version=sys.argv[2], backups=db, schemas=db, note=print)
    database.stamp(db, sys.argv[2], "1.9.1")
for module in ("sqlite3", "asyncio", "temporalio", "psutil", "socket", "filelock", "packaging"):
    assert module not in sys.modules, module
"""


def test_a_missing_file_gets_a_private_folder_and_nothing_else(tmp_path: Path, prepare: Prepare) -> None:
    """The folder is created for this user only, and the server creates the file."""
    db = tmp_path / "new" / "t.db"
    assert prepare(db) == []
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o700
    assert list((tmp_path / "new").iterdir()) == []


def test_an_empty_file_is_treated_as_new(tmp_path: Path, prepare: Prepare, quick_executable: Path) -> None:
    """An empty file is removed, because the server would fail on it."""
    db = tmp_path / "t.db"
    db.touch()
    (tmp_path / "t.db.stamp.json").write_text("{}")
    prepare(db)
    with running(quick_executable, db):
        database.stamp(db, SERVER)
    stamp = database.read_stamp(db)
    assert stamp is not None
    assert stamp.made_by == SERVER


def create_unfinished(db: Path, fresh_file: Path, tables: int) -> None:
    """Create a file as a server leaves it that is killed after it created its first tables."""
    db.parent.mkdir(exist_ok=True)
    with closing(sqlite3.connect(fresh_file)) as whole, closing(sqlite3.connect(db)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        for (sql,) in whole.execute("SELECT sql FROM sqlite_master WHERE sql NOT NULL LIMIT ?", (tables,)).fetchall():
            connection.execute(sql)
        if "namespace_metadata" in str(connection.execute("SELECT group_concat(name) FROM sqlite_master").fetchone()):
            connection.execute("INSERT INTO namespace_metadata VALUES (54321, 1)")
        connection.commit()


@pytest.mark.parametrize("tables", [0, 7, 54])
def test_a_file_of_a_server_that_was_killed_while_creating_it_is_recreated(
    tmp_path: Path, prepare: Prepare, fresh_file: Path, quick_executable: Path, tables: int
) -> None:
    """The file has no state, and no server can use it, so the next start recreates it."""
    db = tmp_path / "half" / "t.db"
    create_unfinished(db, fresh_file, tables)
    (note,) = [note for note in prepare(db) if "to compare with" not in note]
    assert "is unfinished" in note
    assert list(db.parent.iterdir()) == []
    with running(quick_executable, db):
        pass


def test_a_half_created_file_with_content_is_kept(tmp_path: Path, prepare: Prepare, fresh_file: Path) -> None:
    """A row, a table of another program or a number in the header may matter to someone."""
    for number, statement in enumerate(
        (
            "INSERT INTO namespaces VALUES (1, 1, 1, 1, 1, 1, 1)",
            "CREATE TABLE cookies (name, value)",
            "PRAGMA user_version=7",
        )
    ):
        db = tmp_path / str(number) / "t.db"
        create_unfinished(db, fresh_file, 7)
        with closing(sqlite3.connect(db)) as connection:
            connection.execute(statement)
            connection.commit()
        refused(db, prepare, DatabaseError, "not a Temporal database")


def test_a_half_created_file_in_use_is_kept(tmp_path: Path, prepare: Prepare, fresh_file: Path) -> None:
    """Another process has the file open and is still creating it."""
    db = tmp_path / "half" / "t.db"
    create_unfinished(db, fresh_file, 7)
    with db.open("rb") as file, subprocess.Popen(["/bin/sleep", "60"], stdin=file) as process:
        with pytest.raises(DatabaseInUse, match="open in another process"):
            prepare(db)
        process.kill()
    assert db.exists()


def test_a_stamp_of_the_same_version_is_trusted_without_sqlite(db: Path) -> None:
    """The usual start imports nothing slow and does not run the executable."""
    database.stamp(db, SERVER, "1.9.1")
    subprocess.run([sys.executable, "-c", QUICK, str(db), SERVER], check=True)


def test_the_stamp_fits_while_a_server_runs_and_after_it_was_killed(
    quick_executable: Path, tmp_path: Path, prepare: Prepare
) -> None:
    """The stamp is also valid while the tables are in the write-ahead log."""
    db = tmp_path / "t.db"
    with running(quick_executable, db, *WAL) as server:
        database.stamp(db, SERVER)
        server.kill()
    assert (tmp_path / "t.db-wal").stat().st_size > 0
    assert prepare(db, executable=Path("/nowhere")) == []
    with closing(sqlite3.connect(db)) as connection:
        (cookie,) = connection.execute("PRAGMA schema_version").fetchone()
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    header = read_header(db)
    stamp = database.read_stamp(db)
    assert header is not None
    assert stamp is not None
    assert header.schema_cookie == stamp.schema_cookie == cookie


def test_a_file_without_a_stamp_is_compared_and_stamped(db: Path, prepare: Prepare) -> None:
    """A file that a stock server created with the same schema is accepted unchanged, and gets a stamp."""
    content = db.read_bytes()
    prepare(db)
    stamp = database.read_stamp(db)
    assert stamp is not None
    assert stamp.last_written_by == SERVER
    assert stamp.made_by is None
    assert db.read_bytes() == content


def test_an_unreadable_stamp_is_recreated(db: Path, prepare: Prepare) -> None:
    """A damaged stamp is treated like a missing one."""
    for text in ("", "[]", "{", '{"last_written_by": null}'):
        (db.parent / "temporal.db.stamp.json").write_text(text)
        prepare(db)
        stamp = database.read_stamp(db)
        assert stamp is not None
        assert stamp.last_written_by == SERVER


def test_an_additional_index_is_no_difference(db: Path, prepare: Prepare) -> None:
    """An index that you added is kept."""
    with closing(sqlite3.connect(db)) as connection:
        connection.execute("CREATE INDEX mine ON executions_visibility (workflow_id)")
    prepare(db)
    with closing(sqlite3.connect(db)) as connection:
        assert connection.execute("SELECT count(*) FROM sqlite_master WHERE name = 'mine'").fetchone() == (1,)


def test_a_hot_journal_is_rolled_back_not_deleted(db: Path, prepare: Prepare) -> None:
    """An unfinished transaction is rolled back, and the rest is kept."""
    code = (
        "import os, sqlite3, sys; c = sqlite3.connect(sys.argv[1], isolation_level=None)\n"
        "c.execute('PRAGMA cache_size=1'); c.execute('PRAGMA synchronous=OFF'); c.execute('BEGIN')\n"
        "insert = 'INSERT INTO queue_metadata VALUES (?, ?, ?, ?)'\n"
        "for n in range(2000): c.execute(insert, (n + 9, b'x' * 999, 'e', 1))\n"
        "os._exit(0)"
    )
    with closing(sqlite3.connect(db)) as connection:
        before = connection.execute("SELECT count(*) FROM queue_metadata").fetchone()
    subprocess.run([sys.executable, "-c", code, str(db)], check=True)
    assert (db.parent / "temporal.db-journal").stat().st_size > 0
    prepare(db)
    with closing(sqlite3.connect(db)) as connection:
        assert connection.execute("SELECT count(*) FROM queue_metadata").fetchone() == before
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


# Bad files: each is a clear error and unchanged.


def refused(db: Path, prepare: Prepare, kind: type[DatabaseError], text: str) -> DatabaseError:
    """Check that `prepare` refuses `db` with a hint and does not change it."""
    before = db.read_bytes() if db.is_file() else b""
    with pytest.raises(kind, match=text) as raised:
        prepare(db)
    assert raised.value.hint
    assert (db.read_bytes() if db.is_file() else b"") == before
    return raised.value


def test_a_folder_is_refused(tmp_path: Path, prepare: Prepare) -> None:
    """A folder is not a database."""
    refused(tmp_path, prepare, DatabaseError, "is a folder")


def test_a_pipe_is_refused(tmp_path: Path, prepare: Prepare) -> None:
    """A pipe is refused without opening it, which would block forever."""
    os.mkfifo(tmp_path / "t.db")
    refused(tmp_path / "t.db", prepare, DatabaseError, "not a regular file")


def test_a_file_that_is_not_sqlite_is_refused(tmp_path: Path, prepare: Prepare) -> None:
    """A text file and the beginning of a database are refused."""
    for content in (b"hello", b"#!/bin/sh\n" * 100):
        (tmp_path / "t.db").write_bytes(content)
        refused(tmp_path / "t.db", prepare, DatabaseError, "not an SQLite database")


def test_an_sqlite_file_of_another_program_is_refused(tmp_path: Path, prepare: Prepare) -> None:
    """Another program's database is not written to."""
    with closing(sqlite3.connect(tmp_path / "t.db")) as connection:
        connection.execute("CREATE TABLE cookies (name, value)")
    error = refused(tmp_path / "t.db", prepare, DatabaseError, "not a Temporal database")
    assert "namespaces" in str(error)


def test_a_truncated_file_is_refused_even_with_a_stamp(db: Path, prepare: Prepare) -> None:
    """A file shorter than its header says is detected on the fast path too."""
    database.stamp(db, SERVER)
    with db.open("r+b") as file:
        file.truncate(40960)
    refused(db, prepare, DatabaseCorrupt, "is truncated")


def test_a_file_with_damaged_tables_is_refused(db: Path, prepare: Prepare) -> None:
    """Damage in the schema is found when the tables are compared."""
    with db.open("r+b") as file:
        file.seek(100)
        file.write(os.urandom(4096 * 10))
    refused(db, prepare, DatabaseCorrupt, "damaged")


def test_a_file_that_cannot_be_read_is_refused(db: Path) -> None:
    """For another user's private file, the error says that it cannot be read and how to change that."""
    db.chmod(0o000)
    code = (
        "import os, sys; from pathlib import Path; from devserver.database.header import read_header\n"
        "from devserver.errors import DatabaseError\n"
        "if os.getuid() == 0: os.setuid(65534)\n"
        "try: read_header(Path(sys.argv[1]))\n"
        "except DatabaseError as error: print(error)\n"
    )
    for folder in (db.parent, *list(db.parents)[1:4]):
        if folder.stat().st_uid == os.getuid() and folder != Path("/tmp"):
            folder.chmod(0o755)
    done = subprocess.run([sys.executable, "-c", code, str(db)], check=True, capture_output=True, text=True)
    assert "cannot" in done.stdout
    assert str(db) in done.stdout


def test_a_file_on_a_read_only_disk_is_refused(db: Path, small_disk: Path, prepare: Prepare) -> None:
    """The error says that the file cannot be written."""
    there = Path(shutil.copy(db, small_disk / "t.db"))
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    refused(there, prepare, DatabaseError, "cannot be written")


def test_a_file_locked_by_another_program_is_refused(
    db: Path, prepare: Prepare, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a short wait for another program's transaction, the error says that the file is locked."""
    monkeypatch.setattr("devserver.database.sqlite.BUSY_SECONDS", 0.05)
    with closing(sqlite3.connect(db, isolation_level=None)) as connection:
        connection.execute("BEGIN EXCLUSIVE")
        with pytest.raises(DatabaseInUse, match="locked by another process"):
            prepare(db)
    prepare(db)


def test_an_executable_that_creates_no_database_is_an_error(db: Path, prepare: Prepare, tmp_path: Path) -> None:
    """The error shows the executable's last output, and the file gets no stamp."""
    bad = tmp_path / "bad"
    bad.write_text("#!/bin/sh\necho no such thing\nexit 7\n")
    bad.chmod(0o755)
    with pytest.raises(StartFailed, match="exited with 7") as raised:
        prepare(db, executable=bad, server_version="1.99.0")
    assert "no such thing" in raised.value.details
    assert database.read_stamp(db) is None
