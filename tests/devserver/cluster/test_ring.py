"""A cluster on fake Cassandra nodes, in a real network of its own: nodes join, leave and are cut off."""

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
    ClusterStartFailed,
    MemberUnknown,
    NetworkNotIsolated,
    NodeNotAnswering,
    RingRefused,
    cassandra,
    roles,
)
from devserver.cluster.isolation import host_networks
from devserver.cluster.isolation.own_network import OwnNetwork
from devserver.errors import DevServerError, OptionError
from tests.devserver.cluster.test_machine import alive, pids, states
from tests.helpers.checkout import ROOT
from tests.helpers.fake_cassandra import fake_cassandra
from tests.helpers.isolation import obstacle
from tests.helpers.waiting import eventually

pytestmark = pytest.mark.slow

THREE = Cluster(database=cassandra(nodes=3, replication=3), roles=roles(history=1))
NODES = ["node-1", "node-2", "node-3"]


@pytest.fixture(autouse=True)
def java(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The fake Cassandra; skipped where this machine allows no network of its own."""
    if (problem := obstacle()) is not None:
        pytest.skip(f"a cluster with Cassandra needs a network of its own: {problem}")
    for name, value in fake_cassandra(tmp_path).items():
        monkeypatch.setenv(name, value)


def test_a_ring_and_its_nodes(control: ClusterControl, roles_folder: Path) -> None:
    """Nodes are members: they are killed and started; one is added, leaves the ring, lives on, and is deleted."""
    with control.started(THREE) as status:
        assert list(states(status))[:4] == ["postgres", *NODES]
        assert [member["host"] for member in status["members"]][1:4] == ["10.92.0.1", "10.92.0.2", "10.92.0.3"]
        host, _, port = str(status["address"]).partition(":")
        with socket.create_connection((host, int(port)), timeout=5):  # from outside of the cluster's network
            pass
        tool = (roles_folder / "cassandra-tool").read_text().splitlines()
        assert tool[0] == "create-keyspace -k temporal --rf 3"
        assert "update-schema --schema-name cassandra/temporal" in tool[-1]
        assert states(control.ask("kill", member="node-2"))["node-2"] == "killed"
        assert control.ask("start", member="node")["state"] == "ready"
        with pytest.raises(RingRefused, match="Not enough live nodes to maintain replication factor"):
            control.ask("decommission", member="node-3")
        with pytest.raises(RingRefused, match="node-3 is in the ring still"):
            control.ask("delete-node", member="node-3")
        busy = control.folder.path / "nodes" / "busy"
        busy.touch()
        with pytest.raises(NodeNotAnswering, match="Failed to connect to"):  # no refusal: a retry may succeed
            control.ask("decommission", member="node-3")
        busy.unlink()
        assert control.ask("add-node", member="node-4")["added"] == "node-4"
        assert control.ask("add-node", member="node-4")["state"] == "ready"
        assert states(control.ask("decommission", member="node-3"))["node-3"] == "left"
        assert "node-3" in states(control.ask("decommission", member="node-3"))
        assert [entry["name"] for entry in control.ask("ring")["ring"]] == ["node-1", "node-2", "node-4"]
        shown = cluster_command("ring", "node-1", "--cluster", control.folder.name).stdout.splitlines()
        assert shown[0] == "seen by node-1"
        assert shown[-1].split() == ["node-4", "10.92.0.4", "up", "normal"]
        assert cluster_command("logs", "node-4", "--cluster", control.folder.name).returncode == 0
        status = control.ask("delete-node", member="node-3")
        assert status["state"] == "ready"
        assert "node-3" not in states(status)
        config = control.folder.config("history-1").read_text()
        assert "10.92.0.1,10.92.0.2,10.92.0.4" in config
        with pytest.raises(MemberUnknown, match="has no node 'node-9'"):
            control.ask("remove-node", member="node-9")
        with pytest.raises(OptionError, match="is not a name of a node"):
            control.ask("add-node", member="history-1")
        running = pids(status)
    assert not [pid for pid in running if psutil.pid_exists(pid)]
    with control.started(THREE) as status:
        assert [name for name in states(status) if name.startswith("node-")] == ["node-1", "node-2", "node-4"]
    with pytest.raises(ClusterStartFailed, match="is on Cassandra, 3 nodes"), control.started(Cluster()):
        pass


def test_a_node_in_a_black_hole(control: ClusterControl) -> None:
    """Nobody reaches it until it is connected again, removed, or the patient reset; kill -9 leaves no node."""
    with control.started(THREE, patient=True):
        assert states(control.ask("black-hole", member="node-2"))["node-2"] == "unreachable"
        with pytest.raises(ClusterStartFailed, match=r"node-2 does not answer on 10.92.0.2:9042"):
            control.ask("start", member="node-2", limit=0.1)
        assert control.ask("reconnect", member="node-2")["state"] == "ready"
        control.ask("start", member="node-2")
        control.ask("black-hole", member="node-2")
        control.ask("remove-node", member="node-2")
        status = control.ask("delete-node", member="node-2")
        assert status["state"] == "ready"
        assert "node-2" not in states(status)
        control.ask("black-hole", member="node-3")
        status = control.ask("reset", declaration=THREE.to_json())
        assert [name for name in states(status) if name.startswith("node-")] == NODES
        assert status["state"] == "ready"
        os.kill(int(status["pid"]), signal.SIGKILL)
        eventually(lambda: not [pid for pid in pids(status) if alive(pid)])


def cluster_command(*words: str) -> subprocess.CompletedProcess[str]:
    """Run `devserver cluster ...`."""
    command = [sys.executable, "-m", "devserver", "cluster", *words]
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)


def test_an_option_of_the_other_database(roles_folder: Path) -> None:
    """It is refused before anything starts."""
    done = cluster_command("up", "--nodes", "3")
    assert (done.returncode, done.stdout) == (2, "")
    assert "--nodes is not for --database postgres" in done.stderr
    done = cluster_command("up", "--database", "cassandra", "--connections", "50")
    assert "--connections is not for --database cassandra" in done.stderr


def test_a_cluster_without_a_ring(control: ClusterControl) -> None:
    """What is done to nodes is refused on PostgreSQL."""
    with control.started(Cluster(roles=roles(history=1))), pytest.raises(MemberUnknown, match="has no Cassandra"):
        control.ask("add-node", member="node-4")


def test_what_a_network_of_its_own_lacks(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The error names the missing program, or what the kernel does not allow, and what to do."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(host_networks, "SYSTEM", ())
    with pytest.raises(NetworkNotIsolated, match="nft is not on this machine") as caught:
        host_networks.program("nft")
    assert "apt-get install nftables" in str(caught.value.hint)
    monkeypatch.setattr("devserver.cluster.isolation.own_network.enter_network", lambda: "unshare: Operation refused")
    with pytest.raises(DevServerError, match="needs a network of its own") as failed:
        OwnNetwork().enter()
    assert list(failed.value.details) == ["unshare: Operation refused"]
