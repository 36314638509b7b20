"""`devserver snapshot` against real instances."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from devserver.system.paths import Paths

Run = Callable[..., "CompletedProcess[str]"]


@pytest.fixture
def up(devserver: Run, real_binary: Path) -> Run:
    """Start a detached instance."""

    def run(*args: str) -> CompletedProcess[str]:
        done = devserver("up", "-d", "--binary", str(real_binary), *args)
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
    """Instances are named `mine` (on any free port, other tests run beside), and none outlives its test."""
    monkeypatch.setenv("DEVSERVER_NAME", "mine")
    yield
    devserver("down", "--all")


def namespaces(run: Run) -> set[str]:
    """The namespaces that the running instance has."""
    listed = run("temporal", "--", "operator", "namespace", "list", "-o", "json").stdout
    return {each["namespaceInfo"]["name"] for each in json.loads(listed)}


def test_a_running_server_is_saved_and_brought_back(up: Run, ds: Run) -> None:
    """It goes on while it is saved; restored, it runs again with the old state at the same address."""
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


def test_a_stopped_server_is_saved_and_restored_and_stays_stopped(
    up: Run, ds: Run, devserver: Run, paths: Paths
) -> None:
    """What it held before becomes a snapshot that can be listed."""
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


def test_an_ephemeral_server_is_saved_into_another_instance(up: Run, ds: Run) -> None:
    """A state that would be lost is kept, and given to another instance."""
    up("--name", "fleeting", "--ephemeral", "--namespace", "precious")
    ds("snapshot", "save", "rescued", "--name", "fleeting")
    ds("down", "--name", "fleeting")
    up()
    ds("snapshot", "restore", "rescued", "--from", "fleeting", "--yes")
    assert "precious" in namespaces(ds)


def test_a_restore_asks_first(up: Run, devserver: Run) -> None:
    """It replaces data: no is an answer, and no answer is no."""
    up()
    devserver("down")
    devserver("snapshot", "save", "one")
    for answer, code in (("n\n", 1), ("", 2)):
        done = devserver("snapshot", "restore", "one", answer=answer)
        assert (done.returncode, done.stdout) == (code, "")
    assert len(json.loads(devserver("snapshot", "list", "--json").stdout)["snapshots"]) == 1


def test_snapshots_are_deleted_all_or_none(up: Run, ds: Run, devserver: Run) -> None:
    """A wrong name among several deletes nothing and says what there is."""
    up()
    ds("down")
    for name in ("one", "two", "three"):
        ds("snapshot", "save", name)
    done = devserver("snapshot", "delete", "one", "four")
    assert done.returncode == 4
    assert "there is no snapshot four" in done.stderr
    assert ds("snapshot", "delete", "one", "two").stdout == "deleted one\ndeleted two\n"
    assert [each["name"] for each in json.loads(ds("snapshot", "list", "--json").stdout)["snapshots"]] == ["three"]


def test_an_empty_list_says_how_to_begin(devserver: Run) -> None:
    """Without any instance either."""
    done = devserver("snapshot", "list")
    assert (done.returncode, "devserver snapshot save" in done.stdout) == (0, True)
    assert json.loads(devserver("snapshot", "list", "--json").stdout) == {"form": 1, "name": "mine", "snapshots": []}


@pytest.mark.parametrize("command", [["list"], ["delete", "one"], ["restore", "one", "--from"]])
def test_an_instance_cannot_be_a_path(up: Run, devserver: Run, command: list[str]) -> None:
    """What lies elsewhere is neither listed nor deleted nor brought back, whatever the name leads to."""
    up()
    option = [] if command[-1] == "--from" else ["--name"]
    done = devserver("snapshot", *command, *option, "../data/mine")
    assert done.returncode == 2, done.stderr
    assert "'../data/mine'" in done.stderr


def test_an_instance_that_never_ran_has_nothing_to_save(devserver: Run) -> None:
    """A clear error, exit code 4; a name that cannot be one is a matter of usage, exit code 2."""
    done = devserver("snapshot", "save")
    assert done.returncode == 4
    assert "there is no instance mine" in done.stderr
    assert devserver("snapshot", "delete", "../x").returncode == 2
