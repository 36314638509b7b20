"""How a cluster starts, what it does when a member ends, and what is left of it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from devserver.cluster import (
    Cluster,
    ClusterControl,
    ClusterNotRunning,
    ClusterRunning,
    ClusterStartFailed,
    ClusterUnknown,
    MemberUnknown,
)
from devserver.errors import PortTaken
from devserver.system.ports import Reservation
from tests.conftest import SHARED_MEMORY
from tests.devserver.cluster.conftest import SMALL
from tests.helpers.checkout import ROOT
from tests.helpers.waiting import eventually

pytestmark = pytest.mark.slow

MEMBERS = ["postgres", "frontend-1", "history-1", "history-2", "matching-1", "worker-1"]


def states(status: dict[str, object]) -> dict[str, str]:
    """The state of each member."""
    members = status["members"]
    assert isinstance(members, list)
    return {member["name"]: member["state"] for member in members}


def pids(status: dict[str, object]) -> list[int]:
    """The pids of the members, and of the process that supervises them."""
    members = status["members"]
    assert isinstance(members, list)
    return [member["pid"] for member in members if member["pid"]] + [int(str(status["pid"]))]


def test_a_cluster_and_its_members(control: ClusterControl, roles_folder: Path) -> None:
    """One role starts alone, then the others; members are killed, frozen and started by name or by role."""
    with control.started(SMALL) as status:
        assert status["state"] == "ready"
        assert list(states(status)) == MEMBERS
        starts = (roles_folder / "starts").read_text().split()
        assert starts[0] == "frontend-1"
        assert sorted(starts) == sorted(MEMBERS[1:])
        assert states(control.ask("kill", member="history"))["history-2"] == "killed"
        status = control.ask("start", member="history-1")
        assert states(status)["history-1"] == "running"
        assert status["state"] == "degraded"
        assert states(control.ask("freeze", member="postgres"))["postgres"] == "frozen"
        assert states(control.ask("thaw", member="postgres"))["postgres"] == "running"
        assert states(control.ask("kill", member="postgres"))["postgres"] == "killed"
        assert states(control.ask("start", member="postgres"))["postgres"] == "running"
        assert states(control.ask("stop", member="matching-1"))["matching-1"] == "stopped"
        assert control.ask("restart", member="history")["state"] == "degraded"
        status = control.ask("start", member="matching")
        assert status["state"] == "ready"
        assert {member["name"]: member["starts"] for member in status["members"]}["history-1"] == 3
        with pytest.raises(MemberUnknown, match="no member 'cassandra'") as caught:
            control.ask("kill", member="cassandra")
        assert "history-2" in str(caught.value.hint)
        (victim,) = (member["pid"] for member in status["members"] if member["name"] == "worker-1")
        os.kill(victim, signal.SIGKILL)
        eventually(lambda: states(control.ask("status"))["worker-1"] == "exited")
        assert [member["exit"] for member in control.ask("status")["members"] if member["exit"]] == ["signal 9"]
        with pytest.raises(ClusterRunning, match="is running already"), control.started(SMALL):
            pass
        with pytest.raises(ClusterRunning, match="is running"):
            control.delete()
        running = pids(status)
    assert not [pid for pid in running if psutil.pid_exists(pid)]
    with pytest.raises(ClusterNotRunning, match="is not running"):
        control.ask("status")
    with pytest.raises(ClusterStartFailed, match="has 8 history shards, not 4"), control.started(Cluster(shards=4)):
        pass


def test_what_a_second_start_takes_over(control: ClusterControl, roles_folder: Path) -> None:
    """The address stays, the schema is made once, a password is in no command line; a taken port is named."""
    with control.started(SMALL) as status:
        address = status["address"]
        lines = {" ".join(psutil.Process(pid).cmdline()) for pid in pids(status)}
    password = control.folder.path / "password"
    assert password.stat().st_mode & 0o077 == 0
    assert not [line for line in lines if password.read_text() in line]
    (roles_folder / "sql").unlink(missing_ok=True)
    with control.started(SMALL) as status:
        assert status["address"] == address
    assert not (roles_folder / "sql").exists()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(PortTaken, match=f"cannot listen on 127.0.0.1:{port}"), control.started(SMALL, port=port):
            pass


def test_a_member_that_dies_while_it_starts(control: ClusterControl, roles_folder: Path) -> None:
    """Four of five is a failed start: it is named with its last lines, and nothing is left."""
    (roles_folder / "dies-history-2").touch()
    ended = r"history-2 ended while it started \(exit code 1\)"
    with pytest.raises(ClusterStartFailed, match=ended) as caught, control.started(SMALL):
        pass
    assert "Failed to apply cluster metadata" in caught.value.details
    assert not control.folder.running()


def test_a_cluster_that_never_serves(control: ClusterControl, roles_folder: Path) -> None:
    """Every process runs and no workflow can be started: the last answer is in the error."""
    (roles_folder / "refuses").touch()
    refused = "no workflow can be started within 5 s: shard status unknown"
    with pytest.raises(ClusterStartFailed, match=refused), control.started(SMALL, limit=5):
        pass


def test_a_cluster_that_does_not_exist(control: ClusterControl) -> None:
    """Every command on it says so, with the command that starts it."""
    for act in (control.down, control.delete, lambda: control.ask("status")):
        with pytest.raises(ClusterUnknown, match="there is no cluster") as caught:
            act()
        assert f"devserver cluster up --cluster {control.folder.name}" in str(caught.value.hint)


@pytest.mark.parametrize("victim", ["command", "supervisor"])
def test_nothing_is_left_after_a_kill(control: ClusterControl, victim: str) -> None:
    """kill -9 of `devserver cluster up`, or of the process that supervises, ends every member; the port is free, and no
    shared memory of PostgreSQL is left."""
    before = shared_memory()
    words = [sys.executable, "-m", "devserver", "cluster", "up", "--cluster", control.folder.name]
    with subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert "state      ready" in process.stdout.readline()
        status = control.ask("status")
        os.kill(process.pid if victim == "command" else int(status["pid"]), signal.SIGKILL)
        eventually(lambda: not [pid for pid in pids(status) if psutil.pid_exists(pid) and alive(pid)])
        process.kill()
    eventually(lambda: shared_memory() <= before)
    host, _, port = str(status["address"]).partition(":")
    Reservation(host, int(port)).release()
    if victim == "supervisor":
        with control.started(SMALL) as again:
            assert again["state"] == "ready"


def shared_memory() -> set[str]:
    """Segments of any PostgreSQL of this machine; those of an `initdb` that runs at the same time come and go."""
    return {file.name for file in SHARED_MEMORY.glob("PostgreSQL.*")}


def alive(pid: int) -> bool:
    """Whether a process runs and is no zombie."""
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def test_without_postgres(control: ClusterControl, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Where PostgreSQL is not installed, the error says where it was looked for and how to get it."""
    from devserver.cluster import PostgresMissing, postgres_server

    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(postgres_server, "DEBIAN", tmp_path)
    with pytest.raises(PostgresMissing, match="PostgreSQL is not on this machine") as caught, control.started(SMALL):
        pass
    assert "apt-get install postgresql" in str(caught.value.hint)
