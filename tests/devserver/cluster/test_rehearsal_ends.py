"""A rehearsal with a patient ends at any moment, and nothing is left of the cluster and of the runbook; fake roles."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from devserver.cluster import ClusterControl
from devserver.errors import FolderNotWritable, UnsafeFolder
from devserver.system.paths import Paths
from tests.conftest import command, processes_of
from tests.devserver.cluster.conftest import SMALL
from tests.devserver.instances.faults.conftest import Disk, disk, fill
from tests.helpers.waiting import eventually

__all__ = ["disk"]  # a fixture

pytestmark = [pytest.mark.slow, pytest.mark.server]

RUNBOOK = """
import asyncio
from datetime import timedelta

from temporalio import activity, workflow


@activity.defn
async def look() -> None:
    await asyncio.sleep(600)


@workflow.defn
class Wait:
    @workflow.run
    async def run(self) -> None:
        await workflow.execute_activity(look, start_to_close_timeout=timedelta(seconds=900))
"""
SCENARIO = """
from devserver.cluster import Cluster
from devserver.rehearsal import Scenario, at, expect, faults

waits = Scenario(
    name="waits",
    runbook="waiting_runbook",
    workflow="Wait",
    patient=Cluster(load=None),
    plan=[at.activity_starts("look").do(faults.cluster.kill("history"))],
    expect=[expect.completes()],
    limit=600,
)
"""


@pytest.fixture
def scenario(roles_folder: Path, home: Path, tmp_path: Path) -> Path:
    """A scenario whose runbook waits for long, with a cluster of fake roles."""
    (tmp_path / "waiting_runbook.py").write_text(RUNBOOK)
    path = tmp_path / "scenario.py"
    path.write_text(SCENARIO)
    return path


def supervised(home: Path) -> bool:
    """Whether a process supervises the cluster."""
    return any("machine_main" in " ".join(line) for line in lines(home))


def lines(home: Path) -> list[list[str]]:
    """The command lines of all processes of the test."""
    found = []
    for process in processes_of(home):
        with contextlib.suppress(psutil.Error):
            found.append(process.cmdline())
    return found


def has_noted(pid: int, what: str) -> bool:
    """Whether the rehearsal of this process has noted a step; the home has the journals of killed ones, too."""
    return any(what in file.read_text() for file in Paths.default().rehearsals.glob(f"*-{pid}.jsonl"))


@pytest.mark.parametrize(
    ("number", "moment"),
    [
        (signal.SIGKILL, "the cluster starts"),
        (signal.SIGINT, "its roles start"),
        (signal.SIGKILL, "the runbook is under way"),
        (signal.SIGINT, "the runbook is under way"),
    ],
)
def test_a_rehearsal_ends(scenario: Path, roles_folder: Path, home: Path, number: signal.Signals, moment: str) -> None:
    """No process of the cluster, of PostgreSQL, of the runbook's server and worker is left."""
    reached: dict[str, Callable[[], bool]] = {
        "the cluster starts": lambda: supervised(home),
        "its roles start": lambda: (roles_folder / "starts").exists(),
        "the runbook is under way": lambda: has_noted(rehearsal.pid, "every history process is killed"),
    }
    words = command("rehearse", str(scenario))
    with subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as rehearsal:
        try:
            eventually(lambda: rehearsal.poll() is not None or reached[moment]())
            assert rehearsal.poll() is None, rehearsal.communicate()[1]
        finally:
            rehearsal.send_signal(number)
        _, errors = rehearsal.communicate(timeout=120)
    assert rehearsal.returncode == (130 if number == signal.SIGINT else -9), errors
    eventually(lambda: not processes_of(home))


def test_the_data_of_another_user(control: ClusterControl) -> None:
    """A cluster's folder that belongs to another user is refused, by its start and by what asks for it."""
    if os.geteuid() != 0:
        pytest.skip("giving a folder away needs root")
    control.folder.create()
    os.chown(control.folder.path, 65534, 65534)
    try:
        for act in (lambda: control.ask("status"), lambda: start(control)):
            with pytest.raises(UnsafeFolder, match="belongs to user 65534, not to you"):
                act()
    finally:
        control.folder.path.rmdir()


def start(control: ClusterControl) -> None:
    """Start the cluster, and stop it."""
    with control.started(SMALL):
        pass


def test_a_full_disk_of_this_machine(roles_folder: Path, disk: Disk) -> None:
    """The start fails, says that the disk is full and leaves nothing; it succeeds once there is space."""
    control = ClusterControl("full", Paths.default())
    filler = fill(disk(control.folder.path.parent, 150_000_000))
    with pytest.raises(FolderNotWritable, match="No space left on device"):
        start(control)
    assert not control.folder.running()
    assert not control.folder.database.exists()
    filler.unlink()
    start(control)
    control.delete()
