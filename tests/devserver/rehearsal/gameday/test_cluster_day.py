"""The example in which the matching of a real cluster is dead while every start is acknowledged."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from devserver.executables.models import Executable
from devserver.system.paths import Paths
from tests.conftest import Run, end_processes_of, link, processes_of
from tests.helpers.built_server import home_with_server, require_built
from tests.helpers.played import played
from tests.helpers.waiting import eventually

pytestmark = pytest.mark.cluster

KILLED = "1"  # the seed of the incident in which the process is killed


@pytest.fixture
def there(home: Path, prepared: Executable) -> Iterator[Path]:
    """A home with both servers; nothing of it is left running."""
    require_built()
    with home_with_server(home):
        if not (Paths.default().store / prepared.path.parent.name).exists():
            link(prepared, Paths.default())
        yield home
    end_processes_of(home)


def test_a_person_finds_dead_matching(there: Path, devserver: Run, tmp_path: Path) -> None:
    """The person sees the dead process with the commands for clusters, restarts a healthy one first, and then starts
    it. The debrief has the wrong turn, and that starts were acknowledged which did not run. No cluster is left."""
    before = processes_of(there)  # the server that other tests share
    with played(devserver, tmp_path, "--seed", KILLED, scenario="cluster") as day:
        day.begin()
        mine = day.variables()

        def is_down() -> bool:
            return devserver("cluster", "status", "--cluster", "gameday", env=mine).returncode == 1

        eventually(is_down)
        day.ask("noticed", "workflows are started, and nothing runs")
        restarted = devserver("cluster", "restart", "frontend-1", "--cluster", "gameday", env=mine)
        assert restarted.returncode == 0, restarted.stderr
        assert day.ask("cause", "the frontend is overloaded")["right"] is False
        assert day.ask("cause", "matching does not run")["right"] is True
        assert devserver("cluster", "start", "matching-1", "--cluster", "gameday", env=mine).returncode == 0
        found = day.debrief()
        assert day.process.returncode == 0
    day_of = found["gameday"]
    assert day_of["ending"] == "recovered"
    assert "matching was killed" in day_of["cause"]
    assert [turn["what"] for turn in day_of["wrong_turns"]] == [
        "took frontend-1 down",
        "named the cause: the frontend is overloaded",
    ]
    shown = [line for seen in day_of["observations"] for line in seen["cluster"]]
    assert any(line.startswith("matching-1 ") for line in shown)
    assert any(_acknowledged_and_not_run(line) for line in shown)
    assert ("cluster start matching-1 --cluster gameday", 0) in [
        (line["command"], line["code"]) for line in day_of["commands"]
    ]
    patient = found["results"][0]["patient"]
    assert patient["problem"] is None
    eventually(lambda: set(processes_of(there)) <= set(before))
    assert json.loads(devserver("cluster", "list", "--json").stdout)["clusters"] == []


def _acknowledged_and_not_run(line: str) -> bool:
    """Whether a line of the workload shows a start that was acknowledged and did not run."""
    if " acknowledged, " not in line:
        return False
    acknowledged, ran = (int(part.split()[0]) for part in line.split(", ")[1:])
    return acknowledged > ran
