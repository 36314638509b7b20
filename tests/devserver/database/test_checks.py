"""The doctor's checks of a database."""

from __future__ import annotations

import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import devserver
from devserver import database
from devserver.database import CheckResult, check

from .conftest import SERVER
from .servers import WAL, running


def bad(db: Path) -> dict[str, CheckResult]:
    """Return the findings that are not ok, by topic."""
    return {finding.topic: finding for finding in check(db) if finding.level != "ok"}


def test_a_running_servers_file_is_checked_without_disturbing_it(quick_executable: Path, tmp_path: Path) -> None:
    """Integrity, stamp, size and free pages are reported while the server runs."""
    db = tmp_path / "t.db"
    with running(quick_executable, db, *WAL):
        database.stamp(db, SERVER)
        found = check(db)
    assert {finding.topic for finding in found} == {"size", "stamp", "integrity", "free pages"}
    assert bad(db) == {}


def test_checking_changes_nothing(db: Path) -> None:
    """Checking a file in WAL mode leaves no other file behind."""
    with closing(sqlite3.connect(db)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
    before = sorted(db.parent.iterdir())
    check(db)
    assert sorted(db.parent.iterdir()) == before


def test_damage_is_an_error_with_a_hint(db: Path) -> None:
    """A damaged page is found, and the hint recommends a snapshot."""
    database.stamp(db, SERVER)
    with db.open("r+b") as file:
        file.seek(4096 * 20)
        file.write(os.urandom(4096 * 10))
    assert bad(db)["integrity"].level == "error"
    assert "snapshot" in (bad(db)["integrity"].hint or "")


def test_missing_and_wrong_stamps(db: Path) -> None:
    """A missing stamp and a file that was replaced since it was stamped are warnings."""
    assert bad(db)["stamp"].level == "warning"
    database.stamp(db, SERVER)
    assert bad(db) == {}
    with closing(sqlite3.connect(db)) as connection:
        connection.execute("CREATE TABLE another (x)")
    assert "was replaced since it was stamped" in bad(db)["stamp"].text


def test_files_that_are_not_databases(tmp_path: Path) -> None:
    """A folder, a text file, another program's database and an empty file are one finding each, without an
    exception."""
    (tmp_path / "text").write_text("hello " * 100)
    (tmp_path / "empty").touch()
    with closing(sqlite3.connect(tmp_path / "foreign")) as connection:
        connection.execute("CREATE TABLE cookies (name, value)")
    assert "folder" in bad(tmp_path)["database"].text
    assert "not an SQLite" in bad(tmp_path / "text")["database"].text
    assert "empty" in bad(tmp_path / "empty")["database"].text
    assert "Temporal" in bad(tmp_path / "foreign")["schema"].text
    assert [finding.level for finding in check(tmp_path / "none")] == ["ok"]


def test_leftovers_of_a_killed_process(db: Path) -> None:
    """An unfinished file is named, and may be removed."""
    database.stamp(db, SERVER)
    (db.parent / "temporal.db.upgrade-1").touch()
    assert "temporal.db.upgrade-1" in bad(db)["leftover"].text


def test_public_names() -> None:
    """Every name in `__all__` can be imported, although half of them load lazily."""
    for name in database.__all__:
        assert getattr(devserver.database, name) is not None


def test_name_with_brackets(tmp_path: Path, fresh_file: Path) -> None:
    """Brackets in a file name are not taken for a pattern."""
    db = tmp_path / "[ab].db"
    shutil.copy(fresh_file, db)
    (tmp_path / "a.db.upgrade-1").touch()
    (tmp_path / "[ab].db.restore-1").touch()
    (leftover,) = [finding for finding in check(db) if finding.topic == "leftover"]
    assert "[ab].db.restore-1" in leftover.text


def test_link_to_itself(tmp_path: Path) -> None:
    """A link loop is a finding, and the doctor continues."""
    (tmp_path / "t.db").symlink_to(tmp_path / "t.db")
    (finding,) = check(tmp_path / "t.db")
    assert finding.level == "error"


def test_state_in_the_write_ahead_log(quick_executable: Path, tmp_path: Path) -> None:
    """A file of one page with all its state in the write-ahead log is valid."""
    db = tmp_path / "t.db"
    with running(quick_executable, db, *WAL):
        (size,) = [finding.text for finding in check(db) if finding.topic == "size"]
        assert not size.endswith(": 0.0 MB")
