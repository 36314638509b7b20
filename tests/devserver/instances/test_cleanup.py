"""Clean-up after killed processes, and only after them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from devserver import DevServer
from devserver.instances.cleanup import tidy
from devserver.instances.ephemeral_database import SHARED_MEMORY, existing_folders
from devserver.instances.folder import InstanceFolder
from devserver.instances.leases import Lease
from devserver.system.paths import Paths
from devserver.system.process import ProcessIdentity
from tests.conftest import ephemeral_folders_of
from tests.helpers.holder import holding

pytestmark = pytest.mark.usefixtures("installed")


def killed(paths: Paths, name: str) -> None:
    """Kill the supervisor of an instance with SIGKILL."""
    record = InstanceFolder(paths, name).require_record()
    assert record.server is not None
    record.supervisor.kill()
    assert record.server.wait_gone(30)


def in_memory(paths: Paths, name: str) -> Path:
    """Return a folder in memory like that of an ephemeral server of this instance."""
    folder = SHARED_MEMORY / f"temporal-devserver-test-{os.getpid()}-{os.urandom(4).hex()}"
    folder.mkdir(mode=0o700)
    (folder / "owner").write_text(str(paths.instance(name)))
    (folder / "temporal.db").write_text("")
    return folder


def test_clean_up_without_instances_creates_nothing(paths: Paths) -> None:
    """Clean-up creates no folder."""
    tidy(paths)
    assert not paths.state.exists()


def test_a_database_that_a_killed_process_was_making(paths: Paths) -> None:
    """Any next command removes it, also when that process had just kept its copy; one that is being made stays."""
    gone, making = (paths.schemas / f".new-{pid}-x" for pid in (2**22 + 1, os.getpid()))
    for folder in (gone, making):
        folder.mkdir(parents=True)
    tidy(paths)
    assert [path.name for path in paths.schemas.iterdir()] == [making.name]


def test_a_file_that_a_killed_process_was_writing(paths: Paths) -> None:
    """Any next command removes it from the instance's folder; one that is being written stays."""
    with DevServer.start("kept") as server:
        folder = paths.instance(server.name)
        gone, writing = (folder / f".spec.json.{pid}-0a1b2c3d.tmp" for pid in (2**22 + 1, os.getpid()))
        for path in (gone, writing):
            path.touch()
        tidy(paths)
        assert (gone.exists(), writing.exists()) == (False, True)
        writing.unlink()


def test_running_instances_are_kept(paths: Paths) -> None:
    """Clean-up does not touch running servers: leased, detached or ephemeral."""
    with DevServer.start(), DevServer.start("held", port=0, ephemeral=True) as held:
        detached = DevServer.start("detached", port=0, ephemeral=True, detach=True)
        tidy(paths)
        for server in (held, detached):
            assert server.running
            assert server.database.is_file()
        detached.stop()


def test_crash_is_recorded(paths: Paths) -> None:
    """An instance whose supervisor was killed is recorded as crashed."""
    DevServer.start("hit", port=0, detach=True)
    killed(paths, "hit")
    assert InstanceFolder(paths, "hit").require_record().state == "ready"
    tidy(paths)
    found = InstanceFolder(paths, "hit").require_record()
    assert (found.state, found.exit, found.server) == ("crashed", "its supervisor was killed", None)


def test_lock_of_a_start_is_not_an_instance(paths: Paths) -> None:
    """The lock file of an anonymous server that another process starts is not taken for an instance."""
    paths.instances.mkdir(parents=True)
    lock = paths.instances / "~1-abc.lock"
    lock.write_text("")
    tidy(paths)
    assert lock.is_file()


def test_anonymous_servers_of_killed_holders_are_removed(paths: Paths, home: Path) -> None:
    """Nothing is left of an anonymous server whose holder and supervisor were killed."""
    code = "import sys; from devserver import DevServer; print(DevServer.start().name, flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        name = process.stdout.readline().strip()
        record = InstanceFolder(paths, name).require_record()
        record.supervisor.signal(signal.SIGSTOP)
        process.kill()
        process.wait()
        killed(paths, name)
    assert ephemeral_folders_of(home) != []
    tidy(paths)
    assert ephemeral_folders_of(home) == []
    assert list(paths.instances.iterdir()) == []


def test_leased_state_is_kept_for_a_restart(paths: Paths) -> None:
    """The state of a killed ephemeral server is kept while a process has a lease on it, and a restart uses it."""
    with DevServer.start("held", port=0, ephemeral=True) as server:
        killed(paths, "held")
        tidy(paths)
        assert server.database.is_file()
        before = server.database
        server.restart()
        assert server.database == before
    assert not before.exists()


def test_second_start_after_a_kill_leaves_no_folder(paths: Paths, home: Path) -> None:
    """When another process starts the killed server, its old state in memory is removed."""
    with holding("shared"):
        record = InstanceFolder(paths, "shared").require_record()
        assert record.server is not None
        record.server.kill()
        with DevServer.start("shared") as server:
            assert server.running
    tidy(paths)
    assert ephemeral_folders_of(home) == []


def test_start_that_was_killed_early_leaves_nothing(paths: Paths, home: Path) -> None:
    """An anonymous instance without a record is removed, with its folder in memory."""
    folder = paths.instance("~1-killed")
    (folder / "leases").mkdir(parents=True, mode=0o700)
    left = in_memory(paths, "~1-killed")
    tidy(paths)
    assert not folder.exists()
    assert not left.exists()
    assert list(paths.instances.iterdir()) == []


def test_instance_that_is_starting_is_kept(paths: Paths) -> None:
    """An anonymous instance that is leased or starting is not touched."""
    folder = paths.instance("~1-begun")
    folder.mkdir(parents=True, mode=0o700)
    lease = Lease.take(folder)
    tidy(paths)
    assert folder.exists()
    lease.release()
    tidy(paths)
    assert not folder.exists()


def test_used_folder_in_memory_is_kept(paths: Paths) -> None:
    """A folder in memory without a record is kept while a process has its database open."""
    paths.instances.mkdir(parents=True, mode=0o700)
    left = in_memory(paths, "lost")
    code = "import sys; file = open(sys.argv[1]); print('open', flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", code, str(left / "temporal.db")], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"open\n"
        tidy(paths)
        assert left.exists()
        process.communicate()
    tidy(paths)
    assert not left.exists()


def test_folders_of_other_homes_are_kept(paths: Paths, tmp_path: Path) -> None:
    """Folders in memory of another DEVSERVER_HOME are kept."""
    paths.instances.mkdir(parents=True, mode=0o700)
    elsewhere = Paths(tmp_path / "c", tmp_path / "s", tmp_path / "d")
    left = in_memory(elsewhere, "theirs")
    try:
        tidy(paths)
        assert left.exists()
        assert existing_folders(paths.instances) == {}
    finally:
        (left / "owner").write_text(str(paths.instance("theirs")))
        tidy(paths)
    assert not left.exists()


def test_process_with_a_reused_pid_is_not_killed(paths: Paths) -> None:
    """A record whose pids belong to another process is cleaned up without ending that process."""
    DevServer.start("old", port=0).stop()
    path = paths.instance("old") / "record.json"
    with subprocess.Popen(["sleep", "600"]) as bystander:
        real = ProcessIdentity.of(bystander.pid)
        assert real is not None
        forged = {"pid": real.pid, "started": f"{real.started}1"}
        data = json.loads(path.read_text()) | {"state": "ready", "supervisor": forged, "server": forged}
        path.write_text(json.dumps(data))
        tidy(paths)
        assert bystander.poll() is None
        bystander.kill()
    assert InstanceFolder(paths, "old").require_record().state == "crashed"
