"""Leases: which processes hold an instance."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from devserver.instances.leases import FOLDER, Lease, holders
from devserver.system.filelocks import LockedFile
from devserver.system.process import ProcessIdentity

HOLD = """
import sys
from pathlib import Path
from devserver.instances.leases import Lease
lease = Lease.take(Path(sys.argv[1]))
print(flush=True)
sys.stdin.read()
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The instance's state folder."""
    return tmp_path / "instance"


def test_no_holders(folder: Path) -> None:
    """An instance that was never leased has no holders."""
    assert holders(folder) == []


def test_every_lease_counts(folder: Path) -> None:
    """A process may have two leases; both must be released."""
    first, second = Lease.take(folder), Lease.take(folder)
    assert holders(folder) == [os.getpid(), os.getpid()]
    first.release()
    first.release()
    assert holders(folder) == [os.getpid()]
    second.release()
    assert holders(folder) == []
    assert list((folder / FOLDER).iterdir()) == []


def test_a_killed_holder_has_no_lease(folder: Path) -> None:
    """kill -9 ends the lease, and its file is removed."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        assert holders(folder) == [process.pid]
        process.kill()
        process.wait()
        assert holders(folder) == []
    assert list((folder / FOLDER).iterdir()) == []


@pytest.mark.parametrize("who", ["gone", "not written yet", "in another container"])
def test_a_reused_pid_is_not_the_holder(folder: Path, who: str) -> None:
    """A lock whose writer is gone (a child inherited it) does not count; a new lock and one from another container
    do."""
    started = ProcessIdentity.own().started
    written = {
        "gone": json.dumps({"pid": 1, "started": f"{started}0"}),
        "not written yet": "",
        "in another container": json.dumps({"pid": 7, "started": f"elsewhere/1:{started.partition(':')[2]}"}),
    }[who]
    (folder / FOLDER).mkdir(mode=0o700, parents=True)
    with LockedFile.attempt(folder / FOLDER / "1-ab.lease", written) or pytest.fail("free"):
        assert holders(folder) == {"gone": [], "not written yet": [0], "in another container": [7]}[who]


def test_an_unlocked_file_is_removed(folder: Path) -> None:
    """A lease file that nobody has locked is not a lease, whatever its content."""
    lease = Lease.take(folder)
    (path,) = (folder / FOLDER).iterdir()
    content = path.read_text()
    lease.release()
    path.write_text(content)
    assert json.loads(content)["pid"] == os.getpid()
    assert holders(folder) == []
    assert not path.exists()
