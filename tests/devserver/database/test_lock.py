"""One owner per database file."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from devserver.database import DatabaseLease
from devserver.errors import DatabaseError, DatabaseInUse
from devserver.system.process import ProcessIdentity

HOLD = """
import sys
from pathlib import Path
from devserver.database import DatabaseLease
lease = DatabaseLease.acquire(Path(sys.argv[1]), "instance other")
print("held", flush=True)
sys.stdin.read()
"""


def test_a_second_owner_is_refused(tmp_path: Path) -> None:
    """The error names the owner's instance and pid, and says what to do."""
    with DatabaseLease.acquire(tmp_path / "t.db", "instance one"), pytest.raises(DatabaseInUse) as raised:
        DatabaseLease.acquire(tmp_path / "t.db", "instance two")
    assert f"instance one (pid {os.getpid()})" in raised.value.message
    assert "devserver down --name one" in (raised.value.hint or "")


def test_an_owner_in_another_container(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its pid says nothing here, and `devserver down` cannot stop it from here: the error says where it runs."""
    with monkeypatch.context() as patch:
        elsewhere = ProcessIdentity(4, "00000000/1:77")
        patch.setattr(ProcessIdentity, "own", lambda: elsewhere)
        lease = DatabaseLease.acquire(tmp_path / "t.db", "instance one")
    with lease, pytest.raises(DatabaseInUse) as raised:
        DatabaseLease.acquire(tmp_path / "t.db", "instance two")
    assert "in use by instance one, in another container (pid 4 there)" in raised.value.message
    assert "devserver down" not in (raised.value.hint or "")


def test_paths_that_lead_to_one_file_are_one_lease(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A relative path, a link to the file and a link to its folder share one lease."""
    (tmp_path / "real").mkdir()
    (tmp_path / "folder").symlink_to(tmp_path / "real")
    (tmp_path / "link.db").symlink_to(tmp_path / "real" / "t.db")
    monkeypatch.chdir(tmp_path / "real")
    with DatabaseLease.acquire(tmp_path / "real" / "t.db", "instance one"):
        for path in (Path("t.db"), tmp_path / "folder" / "t.db", tmp_path / "link.db", Path("../real/t.db")):
            with pytest.raises(DatabaseInUse):
                DatabaseLease.acquire(path, "instance two")


def test_the_lease_ends_when_its_owner_is_killed(tmp_path: Path) -> None:
    """After kill -9 the next process gets the file at once."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path / "t.db")], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as owner:
        try:
            assert owner.stdout is not None
            assert owner.stdout.readline() == b"held\n"
            with pytest.raises(DatabaseInUse, match=f"instance other .pid {owner.pid}."):
                DatabaseLease.acquire(tmp_path / "t.db", "instance one")
        finally:
            owner.kill()
            owner.wait()
    DatabaseLease.acquire(tmp_path / "t.db", "instance one").release()


def test_a_child_of_the_owner_does_not_hold_the_lease(tmp_path: Path) -> None:
    """The server may outlive its owner; the lease does not."""
    lease = DatabaseLease.acquire(tmp_path / "t.db", "instance one")
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, close_fds=False) as child:
        lease.release()
        DatabaseLease.acquire(tmp_path / "t.db", "instance two").release()
        child.kill()


def test_the_lock_file(tmp_path: Path) -> None:
    """The file has mode 0600, contains owner and process, and is removed on release; a second release is harmless."""
    lock = tmp_path / "t.db.lock"
    with DatabaseLease.acquire(tmp_path / "t.db", "instance one") as lease:
        assert lock.stat().st_mode & 0o777 == 0o600
        written = {"owner": "instance one", "pid": os.getpid(), "started": ProcessIdentity.own().started}
        assert json.loads(lock.read_text()) == written
    lease.release()
    assert list(tmp_path.glob("t.db*")) == []


def test_a_missing_folder_is_created_private(tmp_path: Path) -> None:
    """Created folders above a new database are readable by this user only."""
    with DatabaseLease.acquire(tmp_path / "a" / "b" / "t.db", "instance one"):
        assert (tmp_path / "a").stat().st_mode & 0o777 == 0o700
        assert (tmp_path / "a" / "b").stat().st_mode & 0o777 == 0o700


def test_a_folder_cannot_be_leased(tmp_path: Path) -> None:
    """A folder is an error that suggests a file."""
    with pytest.raises(DatabaseError, match="is a folder") as raised:
        DatabaseLease.acquire(tmp_path, "instance one")
    assert "temporal.db" in (raised.value.hint or "")


def test_a_folder_that_cannot_be_created_is_an_error_that_names_the_option(tmp_path: Path) -> None:
    """The hint suggests another --db, not another home."""
    (tmp_path / "file").touch()
    with pytest.raises(DatabaseError, match="cannot reach the database") as caught:
        DatabaseLease.acquire(tmp_path / "file" / "below" / "t.db", "me")
    assert "--db" in str(caught.value)
    assert "DEVSERVER_HOME" not in str(caught.value)
