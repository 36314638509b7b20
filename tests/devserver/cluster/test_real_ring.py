"""The real server on a real ring of Cassandra nodes, and the rehearsals of its runbooks: `make test-cassandra`."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from temporalio.client import Client

from devserver.cluster import Cluster, ClusterControl, RingRefused, cassandra, roles
from devserver.rehearsal import RehearsalSettings, Result, rehearse, scenarios_in
from devserver.system.paths import Paths
from tests.conftest import end_processes_of
from tests.devserver.cluster.test_machine import states
from tests.devserver.cluster.test_real_cluster import start, until_started
from tests.helpers.built_server import BUILT, home_with_server, require_built
from tests.helpers.checkout import ROOT
from tests.helpers.waiting import eventually

VARIABLE = "DEVSERVER_TEST_CASSANDRA"
EXAMPLES = ROOT / "examples" / "clusters"
DETECTED = 120.0  # a node counts as down after about 20 seconds, on a busy machine later

pytestmark = [
    pytest.mark.cassandra,
    pytest.mark.skipif(VARIABLE not in os.environ, reason="a ring of Cassandra nodes runs in make test-cassandra only"),
]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A home with the built server; the jars and templates are those of the user who runs the tests."""
    require_built()
    home = tmp_path_factory.mktemp("ring")
    (home / "cache").mkdir()
    (home / "cache" / "cluster").symlink_to(BUILT.parents[1])
    with home_with_server(home):
        yield home
    assert not end_processes_of(home)


def test_a_ring_loses_a_node_and_gets_one(home: Path) -> None:
    """With one of three nodes killed workflows still start; black-holed it counts as down, and is replaced."""
    control = ClusterControl("ring", Paths.default())
    declared = Cluster(database=cassandra(nodes=3, replication=3), roles=roles(history=1))
    with control.started(declared) as status:

        async def acknowledged() -> None:
            await until_started(await Client.connect(str(status["address"])))

        async def started(deadline: float) -> str:
            return await start(await Client.connect(str(status["address"])), deadline)

        asyncio.run(acknowledged())
        control.ask("kill", member="node-2")
        asyncio.run(started(30.0))
        assert states(control.ask("start", member="node-2", limit=400))["node-2"] == "running"
        with pytest.raises(RingRefused, match="Not enough live nodes to maintain replication factor"):
            control.ask("decommission", member="node-3")
        control.ask("black-hole", member="node-2")
        eventually(lambda: not reached(control, "node-2"), DETECTED)
        control.ask("remove-node", member="node-2", limit=400)
        assert "node-2" not in states(control.ask("delete-node", member="node-2"))
        assert control.ask("add-node", member="node-4", limit=400)["state"] == "ready"
        assert reached(control, "node-4")
        asyncio.run(acknowledged())


def reached(control: ClusterControl, node: str) -> bool:
    """Whether the first node reaches this one."""
    return any(entry["up"] for entry in control.ask("ring", member="node-1")["ring"] if entry["name"] == node)


@pytest.fixture
def rehearsed(home: Path, tmp_path: Path, request: pytest.FixtureRequest) -> Result:
    """The result of the scenario in `file` whose name contains `name`; no process is left of it."""
    file, name = request.param
    (scenario,) = (each for each in scenarios_in([EXAMPLES / f"{file}.py"]) if name in each.name)
    result = asyncio.run(rehearse(scenario, RehearsalSettings(folder=tmp_path / "run")))
    assert not end_processes_of(tmp_path)
    return result


@pytest.mark.parametrize(
    "rehearsed",
    [
        ("black_hole", "out of the ring"),
        ("quorum_lost", "starts the nodes"),
        ("replace_node", "is added, then another one retires"),
    ],
    indirect=True,
    ids=["black hole", "quorum", "replace"],
)
def test_a_runbook_that_repairs_the_ring(rehearsed: Result) -> None:
    """It passes although its worker dies halfway: nothing is lost, and the cluster runs workflows again."""
    assert rehearsed.verdict == "pass", rehearsed.reason


@pytest.mark.parametrize(
    ("rehearsed", "reason"),
    [
        (("black_hole", "restarts history"), "not running"),
        (("quorum_lost", "restarts history"), "not running"),
        (("replace_node", "before another one is added"), "Not enough live nodes"),
        (("replace_node", "its process is forgotten"), r"not running: node-3 (left)"),
    ],
    indirect=["rehearsed"],
    ids=["black hole", "quorum", "replace", "lives on"],
)
def test_a_runbook_that_does_not(rehearsed: Result, reason: str) -> None:
    """The rehearsal fails, and says what is wrong with the ring."""
    assert rehearsed.verdict == "fail"
    assert reason in rehearsed.reason, rehearsed.reason
