"""Rehearsals of the examples in examples/clusters on the real server: `make test-cluster`."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from devserver.cluster import Cluster
from devserver.cluster.declaration import DEFAULT_VERSION
from devserver.rehearsal import RehearsalSettings, Result, rehearse, scenarios_in
from devserver.rehearsal.patient.pool import PatientPool
from devserver.rehearsal.report.run_data import run_data
from tests.conftest import end_processes_of
from tests.helpers.built_server import BUILT, home_with_server, require_built
from tests.helpers.checkout import ROOT

pytestmark = pytest.mark.cluster

EXAMPLES = ROOT / "examples" / "clusters"
ONLY_THERE = pytest.mark.cluster_only


class Rehearsals:
    """Runs scenarios one after the other on a cluster that is reset in between."""

    def __init__(self, loop: asyncio.AbstractEventLoop, patients: PatientPool, folder: Path) -> None:
        self._loop = loop
        self._patients = patients
        self._folder = folder
        self._count = 0

    def start(self) -> None:
        """Start the cluster that most scenarios have."""

        async def borrow() -> None:
            async with self._patients.borrowed(Cluster()):
                pass

        with home_with_server(self._folder):
            self._loop.run_until_complete(borrow())

    def run(self, file: str, name: str) -> Result:
        """The result of the scenario of that name, which may be shortened."""
        self._count += 1
        (scenario,) = (each for each in scenarios_in([EXAMPLES / f"{file}.py"]) if each.name.endswith(name))
        assert isinstance(scenario.patient, Cluster)
        self._require(scenario.patient.version)
        same = scenario.patient.roles == Cluster().roles  # a test may leave no process that it has started
        folder = self._folder / str(self._count)
        settings = RehearsalSettings(folder=folder, patients=self._patients if same else None)
        with home_with_server(self._folder):
            return self._loop.run_until_complete(rehearse(scenario, settings))

    def _require(self, version: str) -> None:
        """Another version than the usual one is that of the user who runs the tests."""
        if version == DEFAULT_VERSION:
            return
        theirs = BUILT.parents[1] / version / BUILT.name
        if not theirs.is_file():
            pytest.skip(f"the server with all roles was not built: {theirs} (devserver cluster build {version})")
        ours = self._folder / "cache" / "cluster" / version
        if not ours.exists():
            ours.mkdir(parents=True)
            (ours / BUILT.name).symlink_to(theirs)


@pytest.fixture(scope="module")
def rehearsals(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rehearsals]:
    """Clusters for the rehearsals of this module; no process is left of them."""
    require_built()
    home = tmp_path_factory.mktemp("patients")
    loop = asyncio.new_event_loop()
    patients = PatientPool(home / "clusters")
    rehearsals = Rehearsals(loop, patients, home)
    rehearsals.start()
    yield rehearsals
    loop.run_until_complete(patients.__aexit__())
    loop.close()
    assert not end_processes_of(home)
    assert not list((home / "clusters" / "_clusters").glob("patient-*/"))


def test_a_runbook_that_recovers_the_cluster(rehearsals: Rehearsals) -> None:
    """It passes although its worker dies halfway: nothing is lost, and the cluster runs workflows again."""
    result = rehearsals.run("history_dies", "starts what is down")
    assert result.verdict == "pass", result.reason
    assert result.run is not None
    assert result.run.output == "started history-1, history-2"
    assert result.run.patient is not None
    assert result.run.patient.starts["history-1"] == 2
    (fault, *_) = run_data(result.run)["logs"]["around"]
    assert "every history process is killed" in fault["what"]
    assert fault["members"]["frontend-1"]  # which finds no history process any more


@pytest.mark.parametrize(
    ("file", "name", "output"),
    [
        pytest.param("database_fails", "the runbook starts it", "database started", marks=ONLY_THERE),
        pytest.param("database_fails", "the runbook frees it", "disk freed, database started", marks=ONLY_THERE),
        pytest.param("database_fails", "the leaking client", "connections of leaking-client ended", marks=ONLY_THERE),
        pytest.param("roles_do_not_start", "rolls it back", "dynamic configuration rolled back", marks=ONLY_THERE),
        pytest.param("roles_do_not_start", "updates the schema", "schema updated (temporal), history-1 started"),
        pytest.param("rolling_restart", "one process after the other is restarted", "6 processes", marks=ONLY_THERE),
        pytest.param(
            "rolling_upgrade", "the schema first", "6 processes are 1.32.0; schema updated: temporal", marks=ONLY_THERE
        ),
    ],
)
def test_a_runbook_that_looks(rehearsals: Rehearsals, file: str, name: str, output: str) -> None:
    """It finds what is wrong and repairs it, although its server or worker dies in the middle."""
    result = rehearsals.run(file, name)
    assert result.verdict == "pass", result.reason
    assert result.run is not None
    assert output in result.run.output


@pytest.mark.cluster_only
@pytest.mark.parametrize(
    ("file", "name", "reason"),
    [
        ("history_dies", "restarts the frontends", "not running: history-1 (killed), history-2 (killed)"),
        ("database_fails", "dies, the runbook restarts history", "not running: postgres (killed), history-1 (exited)"),
        ("database_fails", "the runbook starts PostgreSQL", "not running: postgres (exited)"),
        ("database_fails", "used up, the runbook restarts history", "(exited)"),
        ("roles_do_not_start", "rolled out, the runbook starts what is down", "not running: matching-1 (exited)"),
        ("roles_do_not_start", "its schema, the runbook starts what is down", "not running: history-1 (exited)"),
        ("rolling_restart", "each role is restarted as a whole", "s it never ran a workflow"),
        ("rolling_upgrade", "role by role", "history-1 (exited)"),
    ],
)
def test_a_runbook_that_does_what_the_alert_suggests(rehearsals: Rehearsals, file: str, name: str, reason: str) -> None:
    """The rehearsal fails, and says what is still down, or how much was refused."""
    result = rehearsals.run(file, name)
    assert result.verdict == "fail"
    assert reason in result.reason
