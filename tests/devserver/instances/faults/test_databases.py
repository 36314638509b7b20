"""Unusable database files: each error names the cause, and the file is unchanged."""

from __future__ import annotations

import json
import sqlite3
import subprocess
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from devserver.system.paths import Paths
from tests.conftest import Run, processes_of
from tests.devserver.database.servers import running
from tests.devserver.instances.faults.conftest import Disk, fill

pytestmark = pytest.mark.usefixtures("installed")

UP = ("up", "-d", "--port", "0", "--no-ui")


@pytest.fixture
def database(devserver: Run, paths: Paths) -> Path:
    """The database of a server that ran and was stopped."""
    assert devserver(*UP).returncode == 0
    assert devserver("down").returncode == 0
    return paths.database("default")


def refused(done: subprocess.CompletedProcess[str]) -> str:
    """Return the error of a command that failed as expected."""
    assert done.returncode == 1, (done.stdout, done.stderr)
    assert "Traceback" not in done.stderr
    assert "hint: " in done.stderr
    return done.stderr


def test_locked_by_another_process(devserver: Run, database: Path, home: Path) -> None:
    """The error names the pid of the process that has the file open; once that ends, the file works."""
    code = (
        "import sqlite3, sys; c = sqlite3.connect(sys.argv[1], isolation_level=None); "
        "c.execute('BEGIN EXCLUSIVE'); print('locked', flush=True); sys.stdin.read()"
    )
    import sys

    with subprocess.Popen(
        [sys.executable, "-c", code, str(database)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "locked\n"
        message = refused(devserver(*UP))
        assert str(database) in message
        assert f"(pid {other.pid})" in message
        other.communicate()
    assert devserver(*UP).returncode == 0
    assert devserver("down").returncode == 0


def test_stock_server_on_the_same_file_is_named(devserver: Run, tmp_path: Path, real_binary: Path) -> None:
    """The error names the pid of a plain `temporal server start-dev` on the same file."""
    with running(real_binary, tmp_path / "shared.db") as stock:
        message = refused(devserver(*UP, "--db", str(tmp_path / "shared.db")))
    assert f"temporal (pid {stock.process.pid})" in message


def test_two_instances_on_one_file(devserver: Run, tmp_path: Path) -> None:
    """A second instance on the same file is refused, also by another path, and the error names the first."""
    path = tmp_path / "shared.db"
    assert devserver(*UP, "--name", "first", "--db", str(path)).returncode == 0
    (tmp_path / "link").symlink_to(tmp_path)
    for database_path in (path, tmp_path / "link" / "shared.db"):
        message = refused(devserver(*UP, "--name", "second", "--db", str(database_path)))
        assert "in use by instance first" in message
    assert devserver("status", "--name", "first").returncode == 0
    assert devserver("down", "--all").stdout == "stopped first\n"


@pytest.mark.parametrize("damage", ["header", "middle", "cut", "text"])
def test_damaged(devserver: Run, database: Path, damage: str, home: Path) -> None:
    """A damaged file is refused and not changed."""
    for ending in ("-wal", "-shm"):
        with closing(sqlite3.connect(database)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        database.with_name(database.name + ending).unlink(missing_ok=True)
    data = bytearray(database.read_bytes())
    if damage == "header":
        data[:100] = b"\xff" * 100
    elif damage == "middle":
        data[4096:200_000] = b"\xff" * (200_000 - 4096)
    elif damage == "cut":
        del data[len(data) // 2 :]
    else:
        data = bytearray(b"dear diary\n" * 100)
    database.write_bytes(data)
    message = refused(devserver(*UP))
    assert str(database) in message
    assert processes_of(home) == []
    assert database.read_bytes() == bytes(data)


def test_folder(devserver: Run, tmp_path: Path) -> None:
    """A folder is refused, and the hint suggests a file."""
    message = refused(devserver(*UP, "--db", str(tmp_path)))
    assert f"the database {tmp_path} is a folder" in message
    assert f"--db {tmp_path / 'temporal.db'}" in message


def test_empty_file_becomes_a_database(devserver: Run, tmp_path: Path) -> None:
    """A file of 0 bytes becomes a database, although the server alone would fail on it."""
    path = tmp_path / "empty.db"
    path.touch()
    assert devserver(*UP, "--db", str(path)).returncode == 0
    assert devserver("down").returncode == 0
    assert path.stat().st_size > 0


def test_unreadable(
    unprivileged: Callable[..., subprocess.CompletedProcess[str]], devserver: Run, database: Path
) -> None:
    """A file without read or write permission is refused, with a fix."""
    for mode, why in ((0o000, "it cannot be read"), (0o400, "it cannot be written")):
        database.chmod(mode)
        message = refused(unprivileged(*UP))
        assert why in message
        assert f"chmod u+rw {database}" in message


def test_folder_that_cannot_be_written(
    unprivileged: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path
) -> None:
    """A file in a folder without write permission is refused."""
    folder = tmp_path / "closed"
    folder.mkdir(mode=0o500)
    message = refused(unprivileged(*UP, "--db", str(folder / "mine.db")))
    assert str(folder) in message


def test_written_by_a_newer_server(devserver: Run, database: Path) -> None:
    """A file with the stamp of a newer server is refused, and the error names the version to use."""
    stamp = database.with_name(f"{database.name}.stamp.json")
    data = json.loads(stamp.read_text())
    stamp.write_text(json.dumps(data | {"last_written_by": "9.8.7", "last_written_by_cli": "9.9.9"}))
    before = database.read_bytes()
    message = refused(devserver(*UP))
    assert "was written by a newer server" in message
    assert "--version 9.9.9" in message
    assert database.read_bytes() == before


def test_full_disk(devserver: Run, tmp_path: Path, disk: Disk, home: Path) -> None:
    """The error says that the disk is full; with free space the server starts."""
    folder = disk(tmp_path / "small", 4_000_000)
    filler = fill(folder)
    message = refused(devserver(*UP, "--db", str(folder / "mine.db")))
    assert "disk" in message or "space" in message
    assert str(folder) in message
    assert processes_of(home) == []
    filler.unlink()
    done = devserver(*UP, "--db", str(folder / "mine.db"))
    assert done.returncode == 0, done.stderr
    assert devserver("down").returncode == 0


def test_disk_that_fills_up_while_starting(devserver: Run, tmp_path: Path, disk: Disk, home: Path) -> None:
    """Too little space for a database is reported as a full disk, not as damage."""
    folder = disk(tmp_path / "small", 200_000)
    message = refused(devserver(*UP, "--db", str(folder / "mine.db")))
    assert "full" in message or "space" in message or "room" in message
    assert processes_of(home) == []
