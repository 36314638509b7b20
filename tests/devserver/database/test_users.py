"""Processes that have the file open without asking us."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from devserver.database import other_users

from .servers import running


def test_a_stock_server_on_the_file_is_found(real_binary: Path, tmp_path: Path) -> None:
    """`temporal server start-dev -f` on the same file is seen, and gone when it has ended."""
    db = tmp_path / "t.db"
    with running(real_binary, db) as server:
        assert other_users(db) == [(server.process.pid, "temporal")]
        (tmp_path / "link.db").symlink_to(db)
        assert [pid for pid, _ in other_users(tmp_path / "link.db")] == [server.process.pid]
    assert other_users(db) == []


def test_this_process_and_other_files_do_not_count(tmp_path: Path) -> None:
    """A file we have open ourselves, or that is not there, has no other users."""
    db = tmp_path / "t.db"
    assert other_users(db) == []
    with db.open("w"):
        assert other_users(db) == []


def test_a_file_is_found_by_what_it_is_not_by_its_name(tmp_path: Path) -> None:
    """A process that opened another name of the same file is a user too."""
    db = tmp_path / "t.db"
    db.touch()
    (tmp_path / "other").hardlink_to(db)
    code = f"file = open({str(tmp_path / 'other')!r}); print('open', flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"open\n"
        assert [pid for pid, _ in other_users(db)] == [process.pid]
        process.kill()
