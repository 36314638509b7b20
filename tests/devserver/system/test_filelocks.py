"""File locks: one holder at a time, and released when the process exits."""

from __future__ import annotations

import errno
import fcntl
import os
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from devserver.errors import FolderNotWritable
from devserver.system import filelocks
from devserver.system.filelocks import LockedFile

HOLD = """
import sys
from pathlib import Path
from devserver.system.filelocks import LockedFile
lock = LockedFile.attempt(Path(sys.argv[1]), "other")
print(lock is not None, flush=True)
sys.stdin.read()
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """The path of the lock."""
    return tmp_path / "x.lock"


def holding(path: Path) -> subprocess.Popen[str]:
    """Run a process that holds the lock."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "True\n"
    return process


def test_one_holder_at_a_time(path: Path) -> None:
    """A second attempt fails at once, and succeeds after the release."""
    with LockedFile.attempt(path, "one") or pytest.fail("free"):
        assert LockedFile.attempt(path, "two") is None
        assert path.read_text() == "one"
    lock = LockedFile.attempt(path, "two")
    assert lock is not None
    assert path.read_text() == "two"
    lock.release()


def test_the_lock_is_private(path: Path) -> None:
    """Other users can neither read who holds the lock nor lock the file."""
    with LockedFile.attempt(path) or pytest.fail("free"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_the_lock_ends_with_its_process(path: Path) -> None:
    """Even kill -9 releases the lock at once."""
    with holding(path) as process:
        assert LockedFile.attempt(path) is None
        process.kill()
        process.wait()
        lock = LockedFile.attempt(path)
        assert lock is not None
        lock.release()
        process.communicate()


def test_wait_for_a_lock(path: Path) -> None:
    """A waiter gets the lock once it is free, or an error at its timeout."""
    with holding(path) as process, ThreadPoolExecutor() as pool:
        assert LockedFile.acquire(path, limit=0) is None
        waiting = pool.submit(LockedFile.acquire, path, "mine", limit=30)
        process.communicate()
        lock = waiting.result()
        assert lock is not None
        assert path.read_text() == "mine"
        lock.release()


def test_children_do_not_inherit_the_lock(path: Path) -> None:
    """A server started by the holder does not keep the lock."""
    lock = LockedFile.attempt(path)
    assert lock is not None
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE, close_fds=False) as child:
        lock.release()
        again = LockedFile.attempt(path)
        assert again is not None
        again.release()
        child.communicate()


def test_a_file_removed_while_it_is_opened_is_not_a_lock(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that opened the file before its holder removed it does not get a lock on the removed file."""
    opened = []

    def open_(name: Path) -> int:
        handle = os.open(name, os.O_RDWR | os.O_CREAT, 0o600)
        opened.append(handle)
        if len(opened) == 1:
            path.unlink()
        return handle

    monkeypatch.setattr(filelocks, "_open", open_)
    with LockedFile.attempt(path) or pytest.fail("free"):
        assert len(opened) == 2
        assert LockedFile.attempt(path) is None


def test_a_removed_lock_is_free(path: Path) -> None:
    """The next holder recreates the file; a second release is harmless."""
    lock = LockedFile.attempt(path)
    assert lock is not None
    lock.release(remove=True)
    lock.release(remove=True)
    assert not path.exists()
    again = LockedFile.attempt(path)
    assert again is not None
    path.unlink()
    fresh = LockedFile.attempt(path)
    assert fresh is not None
    again.release()
    fresh.release()


def test_many_processes_at_once(path: Path) -> None:
    """At most one process has the lock at any time, also when the file is removed in between."""
    inside = []

    def turn(number: int) -> None:
        lock = LockedFile.acquire(path, str(number), limit=30)
        assert lock is not None
        inside.append(number)
        assert inside == [number]
        inside.remove(number)
        lock.release(remove=number % 2 == 0)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(turn, range(200)))


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    """The error has the file and the system's reason."""
    path = tmp_path / "missing" / "x.lock"
    with pytest.raises(FolderNotWritable) as error:
        LockedFile.attempt(path)
    assert error.value.message == f"cannot open the lock file {path}: {os.strerror(2)}"


def test_a_file_system_without_locks(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A network folder without locks is named as the reason; nothing is taken for locked."""

    def refuse(handle: int, how: int) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    path.touch()
    monkeypatch.setattr(fcntl, "flock", refuse)
    with pytest.raises(FolderNotWritable, match=r"cannot lock .*No locks available") as error:
        LockedFile.attempt(path)
    assert "a local disk" in str(error.value.hint)
    assert not LockedFile.is_held(path)
