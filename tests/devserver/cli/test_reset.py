"""`devserver reset`: delete a server's state."""

from __future__ import annotations

import json
from pathlib import Path

from tests.conftest import Run

from .conftest import StatusOf


def namespaces(devserver: Run) -> set[str]:
    """The namespaces of the running instance."""
    listed = devserver("temporal", "operator", "namespace", "list", "-o", "json").stdout
    return {namespace["namespaceInfo"]["name"] for namespace in json.loads(listed)} - {"temporal-system"}


def test_a_running_server_is_empty_and_runs_again(up: Run, devserver: Run, status_of: StatusOf) -> None:
    """The server runs again at the same address with its namespaces, and its snapshots are kept."""
    up("-n", "orders")
    devserver("temporal", "operator", "namespace", "create", "-n", "by-hand")
    devserver("snapshot", "save", "before")
    before = status_of()
    done = devserver("reset", "--yes")
    assert (done.returncode, done.stdout, done.stderr) == (0, "default is empty and running again\n", "")
    assert (status_of()["state"], status_of()["address"]) == ("ready", before["address"])
    assert namespaces(devserver) == {"default", "orders"}
    assert [
        snapshot["name"] for snapshot in json.loads(devserver("snapshot", "list", "--json").stdout)["snapshots"]
    ] == ["before"]


def test_a_stopped_server_is_empty_and_stays_stopped(up: Run, devserver: Run, status_of: StatusOf) -> None:
    """The next start creates a new database."""
    up()
    devserver("temporal", "operator", "namespace", "create", "-n", "by-hand")
    devserver("down")
    database = Path(status_of()["database"])
    done = devserver("reset", "--yes")
    assert (done.returncode, done.stdout) == (0, "default is empty\n")
    assert [path.name for path in database.parent.iterdir()] == []
    assert status_of()["state"] == "stopped"
    up()
    assert namespaces(devserver) == {"default"}


def test_an_ephemeral_server_is_emptied(quick_up: Run, devserver: Run) -> None:
    """An ephemeral server is emptied in place, like any other."""
    quick_up()
    devserver("temporal", "operator", "namespace", "create", "-n", "by-hand")
    assert devserver("reset", "--yes").returncode == 0
    assert namespaces(devserver) == {"default"}


def test_it_asks_first(up: Run, devserver: Run, status_of: StatusOf) -> None:
    """The question names the file; no deletes nothing, yes deletes it."""
    up()
    database = Path(status_of()["database"])
    devserver("temporal", "operator", "namespace", "create", "-n", "by-hand")
    question = f"Delete all workflows in {database}? [y/N]: "
    for answer in ("n\n", "\n"):
        done = devserver("reset", answer=answer)
        assert (done.returncode, done.stdout, done.stderr) == (1, "", f"{question}nothing was changed\n")
    assert "by-hand" in namespaces(devserver)
    done = devserver("reset", answer="y\n")
    assert (done.returncode, done.stdout) == (0, "default is empty and running again\n")
    assert "by-hand" not in namespaces(devserver)


def test_without_a_terminal(quick_up: Run, devserver: Run, status_of: StatusOf) -> None:
    """In a script without --yes nothing is deleted, and the error names --yes."""
    quick_up()
    before = status_of()
    done = devserver("reset", answer="")
    assert done.returncode == 2
    assert done.stderr.endswith("\nerror: cannot ask for confirmation: the input is not a terminal\nhint: add --yes\n")
    assert status_of() == before


def test_unknown_instance(devserver: Run) -> None:
    """An unknown instance is an error, without a question."""
    done = devserver("reset")
    assert (done.returncode, done.stdout) == (4, "")
    assert done.stderr.startswith("error: there is no instance default\n")


def test_an_instance_is_forgotten(up: Run, devserver: Run, status_of: StatusOf, tmp_path: Path, home: Path) -> None:
    """With --forget it is stopped, and nothing of it is left; a database that the user named stays."""
    up("--name", "orders")
    devserver("snapshot", "save", "before", "--name", "orders")
    own = tmp_path / "own.db"
    up("--name", "billing", "--db-filename", str(own))
    for name in ("orders", "billing"):
        asked = devserver("reset", "--forget", "--name", name, answer="n\n")
        assert "with its log, database, snapshots and backups?" in asked.stdout + asked.stderr
        done = devserver("reset", "--forget", "--name", name, "--yes")
        assert (done.returncode, done.stdout) == (0, f"forgot {name}\n")
        assert devserver("status", "--name", name).returncode == 4
        assert [path for path in home.rglob("*") if name in path.name and path.suffix != ".lock"] == []
    assert own.is_file()
    assert devserver("list").stdout == "no servers yet; start one with: devserver up\n"
