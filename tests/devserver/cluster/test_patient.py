"""Rehearsals of the examples in examples/clusters on the real server: `make test-cluster`."""

from __future__ import annotations

from pathlib import Path

import pytest

from devserver.cluster import executable
from devserver.rehearsal import RehearsalSettings, Result, rehearse, scenarios_in
from devserver.system.paths import HOME_VARIABLE
from tests.conftest import end_processes_of
from tests.devserver.cluster.test_real_cluster import BUILT
from tests.helpers.checkout import ROOT

pytestmark = pytest.mark.cluster

EXAMPLE = ROOT / "examples" / "clusters" / "history_dies.py"


@pytest.fixture
def rehearsed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Result:
    """The result of the scenario whose name contains the parameter; no process is left of it."""
    import asyncio

    if not BUILT.is_file():
        pytest.skip(f"the server with all roles was not built: {BUILT} (devserver cluster build)")
    monkeypatch.setenv(HOME_VARIABLE, str(tmp_path))
    monkeypatch.setenv(executable.VARIABLE, str(BUILT))
    (scenario,) = (each for each in scenarios_in([EXAMPLE]) if request.param in each.name)
    result = asyncio.run(rehearse(scenario, RehearsalSettings(folder=tmp_path / "run")))
    assert not end_processes_of(tmp_path)
    return result


@pytest.mark.parametrize("rehearsed", ["starts what is down"], indirect=True)
def test_a_runbook_that_recovers_the_cluster(rehearsed: Result) -> None:
    """It passes although its worker dies halfway: nothing is lost, and the cluster runs workflows again."""
    assert rehearsed.verdict == "pass", rehearsed.reason
    assert rehearsed.run is not None
    assert rehearsed.run.output == "started history-1, history-2"
    assert rehearsed.run.patient is not None
    assert rehearsed.run.patient.starts["history-1"] == 2


@pytest.mark.parametrize("rehearsed", ["restarts the frontends"], indirect=True)
def test_a_runbook_that_does_not(rehearsed: Result) -> None:
    """It completes, and the rehearsal fails: the cluster is not healthy, and what it acknowledged does not run."""
    assert rehearsed.verdict == "fail"
    assert rehearsed.run is not None
    assert rehearsed.run.status == "completed"
    assert "not running: history-1 (killed), history-2 (killed)" in rehearsed.reason
