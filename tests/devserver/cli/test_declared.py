"""What the settings of a project make at each `devserver up`: Nexus endpoints and schedules."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Run
from tests.devserver.cli.conftest import Foreground

FILE = """
name = "shop"
namespaces = ["shop", "billing"]
ui = false
ephemeral = true

[nexus-endpoints.payments]
task-queue = "pay"
description = "Payments"

[schedules.nightly]
type = "Report"
task-queue = "reports"
cron = "0 3 * * *"
time-zone = "Europe/Berlin"
catchup-window = "10m"
overlap-policy = "BufferOne"
input = ["daily", { pages = 3 }]
memo = { owner = "ann" }

[schedules.hourly]
namespace = "billing"
type = "Bill"
task-queue = "bills"
interval = ["1h", "30m/5m"]
paused = true
notes = "not yet"
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """The settings of a project."""
    path = tmp_path / "temporal-devserver.toml"
    path.write_text(FILE)
    return path


def schedule(devserver: Run, name: str, *args: str) -> dict[str, Any]:
    """What a schedule is, without what time changes."""
    done = devserver("schedule", "describe", name, "--json", *args)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def endpoints(devserver: Run, name: str = "shop") -> list[tuple[str, str, str]]:
    """Name, namespace and task queue of each Nexus endpoint."""
    command = ("temporal", "--name", name, "--", "operator", "nexus", "endpoint", "list", "-o", "json")
    listed = json.loads(devserver(*command).stdout) or []
    workers = ((one["spec"]["name"], one["spec"]["target"]["worker"]) for one in listed)
    return sorted((name, worker["namespace"], worker["taskQueue"]) for name, worker in workers)


def test_declared_once_and_updated_when_changed(file: Path, up: Run, devserver: Run) -> None:
    """The same file changes nothing; a changed declaration updates its part only; a removed one stays."""
    assert [line for line in up().stderr.splitlines() if line.startswith(("created", "updated"))] == [
        "created the Nexus endpoint payments",
        "created the schedule nightly",
        "created the schedule hourly",
    ]
    assert endpoints(devserver) == [("payments", "shop", "pay")]
    nightly, hourly = schedule(devserver, "nightly"), schedule(devserver, "hourly", "--namespace", "billing")
    assert (nightly["workflow_type"], nightly["task_queue"], nightly["policy"]) == ("Report", "reports", "buffer_one")
    assert (nightly["spec"], nightly["input"]) == ("0 3 * * * (Europe/Berlin)", ['"daily"', '{"pages": 3}'])
    assert (nightly["memo"], nightly["catchup_window_seconds"]) == ({"owner": '"ann"'}, 600)
    assert (hourly["paused"], hourly["note"], hourly["spec"]) == (True, "not yet", "every 1h; every 30m +5m")

    assert up().stderr == ""
    assert devserver("schedule", "pause", "nightly").returncode == 0
    file.write_text(FILE.replace("0 3", "0 4").replace('"pay"', '"pay2"').partition("[schedules.hourly]")[0])
    assert up().stderr == "updated the Nexus endpoint payments\nupdated the schedule nightly\n"
    assert endpoints(devserver) == [("payments", "shop", "pay2")]
    changed = schedule(devserver, "nightly")
    assert (changed["spec"], changed["paused"], changed["memo"]) == ("0 4 * * * (Europe/Berlin)", True, nightly["memo"])
    assert schedule(devserver, "hourly", "--namespace", "billing")["updated"] is None
    assert up().stderr == ""

    file.write_text(FILE.replace("0 3", "0 99"))
    done = devserver("up")
    assert done.returncode == 2
    assert done.stderr.startswith("updated the Nexus endpoint payments\nerror: the schedule nightly: invalid schedule")
    assert f"declared in {file}:11" in done.stderr
    file.write_text(FILE.replace('namespace = "billing"', 'namespace = "other"'))
    done = devserver("up")
    assert "the schedule hourly: the server has no namespace other" in done.stderr
    assert "add 'other' to namespaces" in done.stderr
    file.write_text(
        FILE.replace('"billing"]', '"billing", "late"]').replace('namespace = "billing"', 'namespace = "late"')
    )
    assert "create it with: devserver up" in devserver("restart").stderr


def test_a_server_without_state_gets_them_again(file: Path, up: Run, devserver: Run, tmp_path: Path) -> None:
    """A restart changes nothing; after `down` of an ephemeral server and after `reset` they are created again, but
    only in the folder of the project."""
    made = ["created the Nexus endpoint payments", "created the schedule nightly", "created the schedule hourly"]
    assert up().returncode == 0
    assert devserver("restart").stderr == ""
    assert devserver("down").returncode == 0
    assert devserver("restart").stderr.splitlines() == made
    assert schedule(devserver, "hourly", "--namespace", "billing")["paused"] is True
    assert devserver("reset", "--yes").stderr.splitlines() == made
    assert endpoints(devserver) == [("payments", "shop", "pay")]
    file.rename(tmp_path / "other.toml")
    assert devserver("reset", "--yes", "--name", "shop").stderr == ""
    assert endpoints(devserver) == []


def test_in_the_foreground(file: Path, foreground: Foreground, devserver: Run) -> None:
    """They are there when the banner is shown, and commands in the folder find the project's instance."""
    with foreground() as process:
        assert schedule(devserver, "nightly")["namespace"] == "shop"
        assert devserver("down").stdout == "stopped shop\n"
        process.wait(60)
