"""What a node is configured with, what nodetool's answers mean, and how Java and the jars are found."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from devserver.cluster import CassandraMissing, Cluster, cassandra
from devserver.cluster.ring import jars, nodetool
from devserver.cluster.ring.jars import CassandraPrograms
from devserver.cluster.ring.node_server import RingNode
from devserver.cluster.role_config import MemberPorts, member_config
from devserver.system.paths import Paths
from devserver.system.progress import Silent
from tests.helpers.fake_cassandra import fake_cassandra

STATUS = """Datacenter: datacenter1
=======================
Status=Up/Down
|/ State=Normal/Leaving/Joining/Moving
--  Address    Load        Tokens  Owns (effective)  Host ID                               Rack
UN  10.92.0.1  263.53 KiB  16      100.0%            6a7e3c2f-0c1e-4d0a-9a55-111111111111  rack1
DN  10.92.0.2  ?           16      100.0%            6a7e3c2f-0c1e-4d0a-9a55-222222222222  rack1
UJ  10.92.0.4  88 KiB      16      ?                 6a7e3c2f-0c1e-4d0a-9a55-444444444444  rack1
"""


def test_what_nodetool_says_of_the_ring() -> None:
    """Each node has a name, whether it is reached, a state and an id."""
    ring = nodetool.ring_of(STATUS)
    assert [(entry.name, entry.up, entry.state) for entry in ring] == [
        ("node-1", True, "normal"),
        ("node-2", False, "normal"),
        ("node-4", True, "joining"),
    ]
    assert ring[1].host_id == "6a7e3c2f-0c1e-4d0a-9a55-222222222222"


def test_the_configuration_of_a_node(tmp_path: Path) -> None:
    """Its files are its own; its options and class path are in a file, and only the user can read them."""
    node = RingNode(2, tmp_path / "node-2")
    node.write([1, 3])
    written = json.loads((node.folder / "cassandra.yaml").read_text())
    assert (written["listen_address"], written["rpc_address"]) == ("10.92.0.2", "10.92.0.2")
    assert written["seed_provider"][0]["parameters"] == [{"seeds": "10.92.0.1,10.92.0.3"}]
    (tmp_path / "a b.jar").touch()
    programs = CassandraPrograms("/usr/bin/java", tmp_path, "5.0.5")
    java, word = node.command(programs, tmp_path / "missing.jsa")
    assert java == "/usr/bin/java"
    options = [json.loads(line) for line in Path(word[1:]).read_text().splitlines()]
    assert options[options.index("-cp") + 1] == str(tmp_path / "a b.jar")
    assert not [option for option in options if "SharedArchiveFile" in option]
    assert Path(word[1:]).stat().st_mode & 0o077 == 0


def test_the_configuration_of_a_role_on_cassandra() -> None:
    """Its store is the ring, and its visibility PostgreSQL."""
    cluster = Cluster(database=cassandra())
    ports = {name: MemberPorts(7000 + at) for at, name in enumerate(("postgres", *cluster.roles.members()))}
    text = member_config(cluster, "history-1", ports, "secret", "dynamic.yaml", ["10.92.0.1", "10.92.0.2"])
    stores = json.loads(text)["persistence"]["datastores"]
    assert stores["default"] == {
        "cassandra": {"hosts": "10.92.0.1,10.92.0.2", "port": 9042, "keyspace": "temporal"},
    }
    assert stores["visibility"]["sql"]["databaseName"] == "temporal_visibility"


def program(path: Path, body: str) -> Path:
    """Write a shell script."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o700)
    return path


@pytest.fixture
def paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Paths:
    """A machine without Java and Maven."""
    for name in ("JAVA_HOME", "CASSANDRA_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    return Paths(cache=tmp_path / "cache", state=tmp_path / "state", data=tmp_path / "data")


def test_java_is_missing_or_too_new(paths: Paths, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error says which Java it takes, what was found, and how to get the right one."""
    with pytest.raises(CassandraMissing, match="needs Java 11 or 17") as caught:
        jars.find(paths, Silent())
    assert "apt-get install openjdk-17-jre-headless" in str(caught.value.hint)
    program(tmp_path / "bin" / "java", "echo 'openjdk version \"21.0.2\" 2024-01-16' >&2")
    with pytest.raises(CassandraMissing, match="runs on Java 11 or 17, not on 21"):
        jars.find(paths, Silent())
    for name, value in fake_cassandra(tmp_path).items():
        monkeypatch.setenv(name, value)
    assert jars.find(paths, Silent()).version == "5.0.5"
    monkeypatch.setenv("CASSANDRA_HOME", str(tmp_path))
    with pytest.raises(CassandraMissing, match="CASSANDRA_HOME has no Cassandra"):
        jars.find(paths, Silent())


def test_jars_that_maven_cannot_fetch(paths: Paths, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without Maven, where it fails, and where what it fetched is not the pinned: an error, and nothing is kept."""
    monkeypatch.setenv("JAVA_HOME", fake_cassandra(tmp_path)["JAVA_HOME"])
    with pytest.raises(CassandraMissing, match="Maven, which fetches it, is not on PATH"):
        jars.find(paths, Silent())
    program(tmp_path / "bin" / "mvn", "echo '[ERROR] Could not transfer artifact'; exit 1")
    with pytest.raises(CassandraMissing, match=r"Maven cannot fetch Cassandra 5\.0\.5") as caught:
        jars.find(paths, Silent())
    assert list(caught.value.details) == ["[ERROR] Could not transfer artifact"]
    program(tmp_path / "bin" / "mvn", "exit 0")
    with pytest.raises(CassandraMissing, match="100 of the 100 jars that Maven fetched are missing or not the pinned"):
        jars.find(paths, Silent())
    assert [path.name for path in (paths.cache / "cluster").iterdir()] == ["cassandra.lock"]
