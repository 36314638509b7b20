"""`devserver snapshot` against real instances."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from devserver.executables.models import Executable
from devserver.system.paths import Paths

Run = Callable[..., "CompletedProcess[str]"]


@pytest.fixture
def up(devserver: Run, installed: Executable) -> Run:
    """Start a detached instance."""

    def run(*args: str) -> CompletedProcess[str]:
        done = devserver("up", "-d", *args)
        assert done.returncode == 0, done.stderr
        return done

    return run


@pytest.fixture
def ds(devserver: Run) -> Run:
    """Run a command that must succeed."""

    def run(*args: str) -> CompletedProcess[str]:
        done = devserver(*args)
        assert done.returncode == 0, done.stderr
        return done

    return run


@pytest.fixture(autouse=True)
def stopped(devserver: Run, home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Instances are called `mine` (on any free port, as other tests run at the same time) and stop with their test."""
    monkeypatch.setenv("DEVSERVER_NAME", "mine")
    yield
    devserver("down", "--all")


def namespaces(run: Run) -> set[str]:
    """Return the namespaces of the running instance."""
    listed = run("temporal", "--", "operator", "namespace", "list", "-o", "json").stdout
    return {namespace["namespaceInfo"]["name"] for namespace in json.loads(listed)}


def test_save_and_restore_a_running_server(up: Run, ds: Run) -> None:
    """The server keeps running during a save; a restore brings back the old state at the same address."""
    up("--namespace", "kept")
    before = json.loads(ds("status", "--json").stdout)
    assert "saved first" in ds("snapshot", "save", "first").stdout
    ds("temporal", "--", "operator", "namespace", "create", "-n", "later")
    assert "later" in namespaces(ds)
    done = ds("snapshot", "restore", "first", "--yes")
    assert "is running again" in done.stdout
    after = json.loads(ds("status", "--json").stdout)
    assert (after["state"], after["address"]) == ("ready", before["address"])
    assert "kept" in namespaces(ds)
    assert "later" not in namespaces(ds)


def test_save_and_restore_a_stopped_server(up: Run, ds: Run, devserver: Run, paths: Paths) -> None:
    """The server stays stopped, and its state before the restore becomes a snapshot."""
    up()
    ds("down")
    saved = json.loads(ds("snapshot", "save", "--json").stdout)
    assert saved["server_version"] == "1.32.0"
    done = ds("snapshot", "restore", saved["name"], "--yes")
    assert "is running again" not in done.stdout
    assert json.loads(devserver("status", "--json").stdout)["state"] == "stopped"
    listed = json.loads(ds("snapshot", "list", "--json").stdout)["snapshots"]
    assert len(listed) == 2
    assert listed[1]["name"] in done.stdout
    with closing(sqlite3.connect(paths.database("mine"))) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_restore_an_ephemeral_server_into_another_instance(up: Run, ds: Run) -> None:
    """The state of an ephemeral server is saved and restored into another instance."""
    up("--name", "fleeting", "--ephemeral", "--namespace", "precious")
    ds("snapshot", "save", "rescued", "--name", "fleeting")
    ds("down", "--name", "fleeting")
    up()
    ds("snapshot", "restore", "rescued", "--from", "fleeting", "--yes")
    assert "precious" in namespaces(ds)


def test_restore_asks_for_confirmation(up: Run, devserver: Run) -> None:
    """A restore replaces data: "no" and no answer change nothing."""
    up()
    devserver("down")
    devserver("snapshot", "save", "one")
    for answer, code in (("n\n", 1), ("", 2)):
        done = devserver("snapshot", "restore", "one", answer=answer)
        assert (done.returncode, done.stdout) == (code, "")
    assert len(json.loads(devserver("snapshot", "list", "--json").stdout)["snapshots"]) == 1


def test_delete_is_all_or_nothing(up: Run, ds: Run, devserver: Run) -> None:
    """One wrong name among several deletes nothing, and the error lists the snapshots."""
    up()
    ds("down")
    for name in ("one", "two", "three"):
        ds("snapshot", "save", name)
    done = devserver("snapshot", "delete", "one", "four")
    assert done.returncode == 4
    assert "there is no snapshot four" in done.stderr
    assert ds("snapshot", "delete", "one", "two").stdout == "deleted one\ndeleted two\n"
    assert [snapshot["name"] for snapshot in json.loads(ds("snapshot", "list", "--json").stdout)["snapshots"]] == [
        "three"
    ]


def test_an_empty_list_shows_how_to_create_a_snapshot(devserver: Run) -> None:
    """An empty list is also shown when there is no instance."""
    done = devserver("snapshot", "list")
    assert (done.returncode, "devserver snapshot save" in done.stdout) == (0, True)
    assert json.loads(devserver("snapshot", "list", "--json").stdout) == {"form": 1, "name": "mine", "snapshots": []}


@pytest.mark.parametrize("command", [["list"], ["delete", "one"], ["restore", "one", "--from"]])
def test_an_instance_cannot_be_a_path(up: Run, devserver: Run, command: list[str]) -> None:
    """Snapshots elsewhere are not listed, deleted or restored, whatever the instance name points to."""
    up()
    option = [] if command[-1] == "--from" else ["--name"]
    done = devserver("snapshot", *command, *option, "../data/mine")
    assert done.returncode == 2, done.stderr
    assert "'../data/mine'" in done.stderr


def test_an_instance_that_never_ran_has_nothing_to_save(devserver: Run) -> None:
    """An instance that never ran exits with 4, an invalid name with 2."""
    done = devserver("snapshot", "save")
    assert done.returncode == 4
    assert "there is no instance mine" in done.stderr
    assert devserver("snapshot", "delete", "../x").returncode == 2
