"""What the doctor is told of a database."""

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
    """The findings that are not ok, by topic."""
    return {each.topic: each for each in check(db) if each.level != "ok"}


def test_a_running_servers_file_is_checked_without_disturbing_it(real_binary: Path, tmp_path: Path) -> None:
    """Integrity, stamp, size and free pages are told while the server works."""
    db = tmp_path / "t.db"
    with running(real_binary, db, *WAL):
        database.stamp(db, SERVER)
        found = check(db)
    assert {each.topic for each in found} == {"size", "stamp", "integrity", "free pages"}
    assert bad(db) == {}


def test_a_file_at_rest_is_left_as_it_is(db: Path) -> None:
    """Looking at a file in WAL mode leaves nothing beside it."""
    with closing(sqlite3.connect(db)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
    before = sorted(db.parent.iterdir())
    check(db)
    assert sorted(db.parent.iterdir()) == before


def test_damage_is_an_error_with_a_way_out(db: Path) -> None:
    """A damaged page is found and a snapshot recommended."""
    database.stamp(db, SERVER)
    with db.open("r+b") as file:
        file.seek(4096 * 20)
        file.write(os.urandom(4096 * 10))
    assert bad(db)["integrity"].level == "error"
    assert "snapshot" in (bad(db)["integrity"].hint or "")


def test_missing_and_wrong_stamps_are_told(db: Path) -> None:
    """They are mended by the next start."""
    assert bad(db)["stamp"].level == "warning"
    database.stamp(db, SERVER)
    assert bad(db) == {}
    with closing(sqlite3.connect(db)) as connection:
        connection.execute("CREATE TABLE another (x)")
    assert "was replaced since it was stamped" in bad(db)["stamp"].text


def test_files_that_are_no_database_are_told(tmp_path: Path) -> None:
    """A folder, a text, another program's database, an empty file: one finding each, never an exception."""
    (tmp_path / "text").write_text("hello " * 100)
    (tmp_path / "empty").touch()
    with closing(sqlite3.connect(tmp_path / "foreign")) as connection:
        connection.execute("CREATE TABLE cookies (name, value)")
    assert "folder" in bad(tmp_path)["database"].text
    assert "not an SQLite" in bad(tmp_path / "text")["database"].text
    assert "empty" in bad(tmp_path / "empty")["database"].text
    assert "Temporal" in bad(tmp_path / "foreign")["schema"].text
    assert [each.level for each in check(tmp_path / "none")] == ["ok"]


def test_what_a_killed_process_left_is_told(db: Path) -> None:
    """A file in the making is named and may go."""
    database.stamp(db, SERVER)
    (db.parent / "temporal.db.upgrade-1").touch()
    assert "temporal.db.upgrade-1" in bad(db)["leftover"].text


def test_the_door_of_the_package_is_complete() -> None:
    """Every public name can be had, though half of them are loaded late."""
    for name in database.__all__:
        assert getattr(devserver.database, name) is not None


def test_a_name_with_brackets_is_no_pattern(tmp_path: Path, fresh_file: Path) -> None:
    """What lies beside the file is found by its name as it is."""
    db = tmp_path / "[ab].db"
    shutil.copy(fresh_file, db)
    (tmp_path / "a.db.upgrade-1").touch()
    (tmp_path / "[ab].db.restore-1").touch()
    (leftover,) = [finding for finding in check(db) if finding.topic == "leftover"]
    assert "[ab].db.restore-1" in leftover.text


def test_a_link_to_itself_is_told(tmp_path: Path) -> None:
    """The doctor goes on to the next."""
    (tmp_path / "t.db").symlink_to(tmp_path / "t.db")
    (finding,) = check(tmp_path / "t.db")
    assert finding.level == "error"


def test_what_is_only_in_the_log_counts(real_binary: Path, tmp_path: Path) -> None:
    """A server's file may be one page, and all it knows in the log beside it."""
    db = tmp_path / "t.db"
    with running(real_binary, db, *WAL):
        (size,) = [finding.text for finding in check(db) if finding.topic == "size"]
        assert not size.endswith(": 0.0 MB")
