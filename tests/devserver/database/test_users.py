"""Detecting other processes that have the database file open."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from devserver.database import other_users

from .servers import running


def test_a_stock_server_on_the_file_is_found(real_binary: Path, tmp_path: Path) -> None:
    """`temporal server start-dev -f` on the same file is detected until it ends."""
    db = tmp_path / "t.db"
    with running(real_binary, db) as server:
        assert other_users(db) == [(server.process.pid, "temporal")]
        (tmp_path / "link.db").symlink_to(db)
        assert [pid for pid, _ in other_users(tmp_path / "link.db")] == [server.process.pid]
    assert other_users(db) == []


def test_this_process_and_other_files_do_not_count(tmp_path: Path) -> None:
    """A file open in this process, or a missing file, has no other users."""
    db = tmp_path / "t.db"
    assert other_users(db) == []
    with db.open("w"):
        assert other_users(db) == []


def test_a_file_is_identified_by_inode_not_by_name(tmp_path: Path) -> None:
    """A process that opened the file by another name is detected too."""
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
