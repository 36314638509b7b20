"""The ready activities that only look, on a real cluster: what each says while it is well, and in an outage."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from devserver.cluster import Cluster, ClusterControl, database_access
from devserver.cluster.declaration import DEFAULT_VERSION
from devserver.cluster.postgres_server import ADMIN, PASSWORD
from devserver.rehearsal import cluster as activities
from devserver.system.paths import Paths
from tests.conftest import end_processes_of
from tests.helpers.built_server import BUILT, home_with_server, require_built
from tests.helpers.waiting import LIMIT, eventually

pytestmark = pytest.mark.cluster

T = TypeVar("T")
DEADLINE = 20.0  # of a canary of a cluster that is well; a busy machine takes its time


@pytest.fixture(scope="module")
def patient(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClusterControl]:
    """A running cluster that the activities know as their patient."""
    require_built()
    home = tmp_path_factory.mktemp("activities")
    with home_with_server(home) as patch:
        control = ClusterControl("patient", Paths.default())
        with control.started(Cluster(), limit=LIMIT) as status:
            found = {
                "address": status["address"],
                "namespace": status["namespace"],
                "cluster": "patient",
                "data": str(control.folder.paths.data),
                "shards": status["shards"],
                "executable": str(BUILT),
            }
            patch.setenv(activities.VARIABLE, json.dumps(found))
            patch.setenv("DATABASE_PASSWORD", (control.folder.path / PASSWORD).read_text())
            yield control
    assert not end_processes_of(home)


def run(activity: Callable[..., Coroutine[Any, Any, T]], *args: Any, **options: Any) -> T:
    """What an activity returns."""
    return asyncio.run(ActivityEnvironment().run(activity, *args, **options))


def grpc_of(control: ClusterControl, member: str) -> str:
    """HOST:PORT of the gRPC port of a member."""
    (port,) = (each["ports"]["grpc"] for each in control.ask("status")["members"] if each["name"] == member)
    return f"127.0.0.1:{port}"


def test_a_cluster_that_is_well(patient: ClusterControl) -> None:
    """Gossip knows every process, each shard has an owner in it, the schema fits, a workflow is started and runs."""
    rings = run(activities.membership)
    assert {role: len(found) for role, found in rings.items()} == {
        "frontend": 1,
        "history": 2,
        "matching": 1,
        "worker": 1,
    }
    eventually(lambda: "nobody" not in run(activities.shard_owners))
    owners = run(activities.shard_owners)
    assert sorted(shard for shards in owners.values() for shard in shards) == list(range(1, 9))
    assert set(owners) <= set(rings["history"])
    assert run(activities.role_health, "matching-1") == "SERVING"
    versions = run(activities.schema_versions)
    assert versions["temporal"] == versions["temporal wanted"]
    assert versions["temporal_visibility"] == versions["temporal_visibility wanted"]
    assert run(activities.dynamic_config_problem) == ""
    assert 0 < run(activities.database_probe, deadline=DEADLINE) < DEADLINE
    assert 0 < run(activities.canary, deadline=DEADLINE) < DEADLINE
    assert 0 < run(activities.canary_run, deadline=DEADLINE) < DEADLINE
    assert set(run(activities.member_states).values()) == {"running"}


def test_a_cluster_that_is_known_by_its_address(patient: ClusterControl, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a patient the same activities look at any cluster, and those that change one refuse."""
    address, database = patient.ask("status")["address"], database_access.address(patient.folder)
    history, matching = grpc_of(patient, "history-1"), grpc_of(patient, "matching-1")
    metrics = [f"127.0.0.1:{each['ports']['metrics']}" for each in patient.ask("status")["members"][1:]]
    monkeypatch.delenv(activities.VARIABLE)
    assert len(run(activities.membership, address, DEFAULT_VERSION)["history"]) == 2
    owners = run(activities.shard_owners, 8, address)
    assert sum(map(len, owners.values())) == 8
    # It says NOT_SERVING for four to five seconds after its start.
    eventually(lambda: run(activities.role_health, address=history, role="history") == "SERVING")
    assert run(activities.role_health, address=matching, role="history") != "SERVING"  # the port of another role
    assert run(activities.database_probe, database, ADMIN, "DATABASE_PASSWORD", deadline=DEADLINE) > 0
    assert run(activities.database_connections, database, ADMIN, "DATABASE_PASSWORD")["max_connections"] == 200
    assert set(run(activities.schema_versions, database, ADMIN, "DATABASE_PASSWORD")) == {
        *("temporal", "temporal_visibility")
    }
    before = run(activities.error_counts, metrics)
    assert all(name.split()[0] in metrics for name in before)
    assert run(activities.canary, address, "default", DEADLINE) > 0
    for change in (activities.start_member, activities.restart_member):
        with pytest.raises(ApplicationError, match="there is no patient") as caught:
            run(change, "history")
        assert caught.value.non_retryable


def test_a_dead_database(patient: ClusterControl) -> None:
    """Health says SERVING; the probe, the canary and the error counters tell the truth."""
    before = run(activities.error_counts)
    patient.ask("kill", member="postgres")
    try:
        with pytest.raises(ApplicationError, match="refused"):
            run(activities.database_probe)
        with pytest.raises(ApplicationError, match=r"not acknowledged within 2 s"):
            run(activities.canary)
        risen = eventually(lambda: run(activities.errors_since, before))
        assert any("persistence_error" in name for name in risen)
        assert run(activities.role_health, "history-1") == "SERVING"
        assert run(activities.member_states)["postgres"] == "killed"
    finally:
        patient.ask("start", member="postgres")
    eventually(lambda: _acknowledges())


def _acknowledges() -> bool:
    try:
        return run(activities.canary) > 0
    except ApplicationError:
        return False


@pytest.mark.cluster_only
def test_a_dead_process(patient: ClusterControl) -> None:
    """One history process is dead: gossip drops it, the other one owns all shards; it is named by its health."""
    eventually(lambda: _acknowledges())
    (dead,) = (each for each in run(activities.membership)["history"] if each == grpc_of(patient, "history-2"))
    patient.ask("kill", member="history-2")
    try:
        assert run(activities.role_health, "history-2").startswith("no answer: ")
        eventually(lambda: dead not in run(activities.membership)["history"])
        eventually(lambda: set(run(activities.shard_owners)) == {grpc_of(patient, "history-1")})
    finally:
        patient.ask("start", member="history-2")
    eventually(lambda: dead in run(activities.membership)["history"])


@pytest.mark.cluster_only
def test_dead_matching(patient: ClusterControl) -> None:
    """The start is acknowledged and nothing runs: only the second canary finds it."""
    eventually(lambda: _acknowledges())
    patient.ask("kill", member="matching")
    try:
        assert run(activities.canary, deadline=DEADLINE) > 0
        with pytest.raises(ApplicationError, match=r"did not complete within 3 s"):
            run(activities.canary_run, deadline=3.0)
    finally:
        patient.ask("start", member="matching")
    assert run(activities.canary_run, deadline=LIMIT) > 0


@pytest.mark.cluster_only
def test_a_schema_that_is_behind(patient: ClusterControl) -> None:
    """It is older than the server wants, until it is updated; no health says so."""
    database_access.set_schema_back(patient.folder)
    versions = run(activities.schema_versions)
    assert versions["temporal"] != versions["temporal wanted"]
    assert run(activities.role_health, "frontend-1") == "SERVING"
    run(activities.update_schema)
    versions = run(activities.schema_versions)
    assert versions["temporal"] == versions["temporal wanted"]


def test_what_an_activity_is_not_given(patient: ClusterControl, tmp_path: Path) -> None:
    """Unknown members, roles and versions are named, and not tried again."""
    for call, said in (
        (lambda: run(activities.role_health, "history-7"), "no process 'history-7' with a role"),
        (lambda: run(activities.role_health, address="127.0.0.1:1", role="pods"), "no such role: 'pods'"),
        (lambda: run(activities.membership, "127.0.0.1:1", "1.2.3"), r"not 1\.2\.3"),
        (lambda: run(activities.start_member, "history-7"), "no member 'history-7'"),
    ):
        with pytest.raises(ApplicationError, match=said) as caught:
            call()
        assert caught.value.non_retryable
    assert run(activities.role_health, address="127.0.0.1:1").startswith("no answer: ")
