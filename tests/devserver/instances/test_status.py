"""The state of an instance as scripts see it."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from devserver import DevServer, DevServerError
from devserver.executables import Executable
from devserver.instances.folder import InstanceFolder
from devserver.instances.status import all_statuses, status, way_out
from devserver.system.paths import Paths
from tests.helpers.checkout import ROOT

JSON_PAGE = ROOT / "docs" / "json.md"


@pytest.fixture(autouse=True)
def _installed(installed: Executable) -> None:
    """Install the real executable."""


def status_of(paths: Paths, name: str) -> dict[str, object]:
    """Return the status of an instance."""
    folder = InstanceFolder(paths, name)
    return status(folder, folder.require_record())


def test_every_key_is_documented(paths: Paths) -> None:
    """docs/json.md documents all keys."""
    with DevServer.start() as server:
        found = status_of(paths, server.name)
    text = JSON_PAGE.read_text()
    assert [key for key in found if f"`{key}`" not in text] == []


def test_holders_are_listed(paths: Paths) -> None:
    """Processes with a lease on a server are listed; a detached server has none."""
    with DevServer.start() as server:
        assert status_of(paths, server.name)["holders"] == [os.getpid()]
    detached = DevServer.start("d", detach=True, ephemeral=True)
    assert status_of(paths, "d")["holders"] == []
    detached.stop()


def test_freeze_and_thaw(paths: Paths) -> None:
    """The state depends on whether the server answers, not on whether its process exists."""
    with DevServer.start() as server:
        seen = [status_of(paths, server.name)["state"]]
        server.freeze()
        seen.append(status_of(paths, server.name)["state"])
        server.thaw()
        seen.append(status_of(paths, server.name)["state"])
    assert seen == ["ready", "unresponsive", "ready"]


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_freeze_stops_every_thread(paths: Paths) -> None:
    """Once `freeze` returns, no thread of the server runs."""
    with DevServer.start() as server:
        for _ in range(30):
            server.freeze()
            tasks = Path(f"/proc/{server.pid}/task").iterdir()
            states = {(task / "stat").read_text().rpartition(")")[2].split()[0] for task in tasks}
            server.thaw()
            assert states == {"T"}


def test_a_server_without_its_namespace_is_not_ready(paths: Paths) -> None:
    """If the instance's namespace was deleted, clients would fail."""
    with DevServer.start(namespaces=["orders"]) as server:
        folder = InstanceFolder(paths, server.name)
        record = folder.require_record().changed(namespaces=("never-made",))
        found = status(folder, record)
        assert (found["state"], found["problem"]) == ("unresponsive", "it has no namespace never-made")


def test_what_helps_a_server_that_refuses_us(paths: Paths) -> None:
    """An HTTP API that does not answer our host is not an overloaded server: the hint names the setting."""
    with DevServer.start() as server:
        record = InstanceFolder(paths, server.name).require_record()
        found = {"problem": "it does not answer: its HTTP port 1 answers 403 Host not allowed", "pid": server.pid}
        assert way_out(found, record).startswith("frontend.httpAllowedHosts in the server's dynamic configuration must")
        busy = {**found, "problem": "it does not answer: no answer on its HTTP port 1 within 2 s"}
        assert "may be overloaded" in way_out(busy, record)


def test_all_statuses(paths: Paths) -> None:
    """Running and stopped instances are listed by name; a damaged record is reported and hides no other."""
    damaged: list[DevServerError] = []

    def states() -> list[tuple[str, str]]:
        return [(status["name"], status["state"]) for status in all_statuses(paths, damaged.append)]

    assert states() == []
    with DevServer.start("b", ephemeral=True), DevServer.start("a", ephemeral=True):
        assert states() == [("a", "ready"), ("b", "ready")]
    assert states() == [("a", "stopped"), ("b", "stopped")]
    assert damaged == []
    (paths.instance("a") / "record.json").write_text("{")
    assert states() == [("b", "stopped")]
    assert [error.message.startswith("cannot read the record of the instance a") for error in damaged] == [True]
