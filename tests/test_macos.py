"""What macOS lacks, switched off: no parent-death signal, no /proc of processes, no /dev/shm, no namespaces.

`pytest -m macos` (make test-macos) is this part of the suite. On a Mac it runs on the real system.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from devserver.executables import Executable
from tests.conftest import CLI_LIMIT, command
from tests.helpers.checkout import ROOT
from tests.helpers.waiting import eventually

SITE = ROOT / "tests" / "helpers" / "macos"
RUNBOOK = """
from datetime import timedelta
from temporalio import activity, workflow
from devserver.rehearsal import ledger

@activity.defn
def add(node: str) -> None:
    ledger.effect("add", key=node)

@workflow.defn
class Grow:
    @workflow.run
    async def run(self, seconds: float) -> str:
        await workflow.execute_activity(add, "node-1", start_to_close_timeout=timedelta(seconds=5))
        await workflow.sleep(seconds)
        await workflow.execute_activity(add, "node-2", start_to_close_timeout=timedelta(seconds=5))
        return "grown"
"""
SCENARIO = """
from devserver.rehearsal import Scenario, at, expect, faults
from grow import Grow

grow = Scenario("grow", "grow", Grow, input=0.5, plan=[at.activity_starts("add").do(faults.kill_worker())],
                expect=[expect.completes()])
"""

pytestmark = pytest.mark.macos


class Mac:
    """Runs commands without what macOS lacks."""

    def __call__(self, *words: str, code: int = 0) -> str:
        """The output of a command."""
        done = subprocess.run(command(*words), capture_output=True, text=True, timeout=CLI_LIMIT)
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout

    def json(self, *words: str, code: int = 0) -> Any:
        """The document that a command prints."""
        return json.loads(self(*words, "--json", code=code))


@pytest.fixture
def mac(installed: Executable, monkeypatch: pytest.MonkeyPatch) -> Iterator[Mac]:
    """Commands on such a system; servers are stopped at the end."""
    if sys.platform == "linux":
        monkeypatch.setenv("PYTHONPATH", str(SITE))
    mac = Mac()
    yield mac
    mac("down", "--all")


def test_the_switch_works(mac: Mac) -> None:
    """Where there are no namespaces the reason is given, and the signal of a parent's death is not asked for."""
    script = (
        "from devserver.cluster.isolation.namespace import enter_network; from devserver.system import spawn;"
        "print(enter_network(), spawn.sys.platform)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "network namespaces exist on Linux only darwin\n"


def test_state_survives_restarts(mac: Mac) -> None:
    """A server starts, is found by its process's identity, restarts with its state, and stops."""
    mac("up", "-d", "--port", "0", "--no-ui", "--namespace", "orders")
    first = mac.json("status")
    assert first["state"] == "ready"
    mac("restart")
    again = mac.json("status")
    assert again["namespaces"] == first["namespaces"]
    assert again["pid"] != first["pid"]
    assert mac.json("stuck")["findings"] == []
    assert mac.json("down")["stopped"] == ["default"]
    assert not psutil.pid_exists(again["pid"])


def test_an_orphan_is_stopped_by_the_next_command(mac: Mac) -> None:
    """Nothing kills a server with its supervisor; the next command stops it, and the instance can be started."""
    mac("up", "-d", "--port", "0", "--no-ui", "--ephemeral")
    found = mac.json("status")
    assert not found["database"].startswith("/dev/shm/")
    server, supervisor = psutil.Process(found["pid"]), psutil.Process(found["supervisor_pid"])
    supervisor.send_signal(signal.SIGKILL)
    eventually(lambda: not supervisor.is_running() or supervisor.status() == psutil.STATUS_ZOMBIE)
    assert server.is_running()
    assert mac.json("status", code=1)["state"] != "ready"
    eventually(lambda: not server.is_running() or server.status() == psutil.STATUS_ZOMBIE)
    assert not Path(found["database"]).exists()
    mac("up", "-d", "--port", "0", "--no-ui", "--ephemeral")
    assert mac.json("status")["state"] == "ready"


def test_a_rehearsal_kills_a_worker(mac: Mac, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A rehearsal runs with its server and workers, and leaves no process behind."""
    monkeypatch.setenv("MACOS_TESTS_LEAVE", "devserver.system.process")
    (tmp_path / "grow.py").write_text(RUNBOOK)
    (tmp_path / "scene.py").write_text(SCENARIO)
    assert mac.json("rehearse", "scene.py")["results"][0]["verdict"] == "pass"
