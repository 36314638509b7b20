"""`devserver down`: servers stop for certain, and what they hold stays."""

from __future__ import annotations

from pathlib import Path

import psutil

from devserver.system.paths import Paths
from tests.conftest import Run, processes_of

from .conftest import StatusOf


def test_a_server_stops_and_its_state_stays(up: Run, devserver: Run, status_of: StatusOf, home: Path) -> None:
    """Afterwards no process is left, the database is there, and `status` says stopped."""
    up()
    done = devserver("down")
    assert (done.returncode, done.stdout, done.stderr) == (0, "stopped default\n", "")
    found = status_of()
    assert (found["state"], found["pid"], found["supervisor_pid"]) == ("stopped", None, None)
    assert Path(found["database"]).is_file()
    assert processes_of(home) == []


def test_one_that_is_down_is_down(quick_up: Run, devserver: Run) -> None:
    """Stopping twice is no error, so scripts need not ask first."""
    quick_up("--name", "a")
    devserver("down", "--name", "a")
    done = devserver("down", "--name", "a")
    assert (done.returncode, done.stdout, done.stderr) == (0, "a was not running\n", "")


def test_a_name_that_never_was_is_an_error(quick_up: Run, devserver: Run) -> None:
    """A mistyped name is told, with the names there are."""
    quick_up("--name", "orders")
    done = devserver("down", "--name", "order")
    assert (done.returncode, done.stdout) == (4, "")
    assert done.stderr == (
        "error: there is no instance order\n"
        "hint: existing instances: orders; start order with: devserver up --name order\n"
    )


def test_all_of_them(quick_up: Run, devserver: Run, home: Path) -> None:
    """--all stops whatever runs, says what it was, and is no error where nothing runs."""
    for name in ("a", "b", "c"):
        quick_up("--name", name)
    devserver("down", "--name", "b")
    assert devserver("down", "--all").stdout == "stopped a\nstopped c\n"
    assert processes_of(home) == []
    done = devserver("down", "--all")
    assert (done.returncode, done.stdout) == (0, "no server was running\n")


def test_a_frozen_server_is_stopped_too(up: Run, devserver: Run, status_of: StatusOf, home: Path) -> None:
    """A server that was suspended is woken, so that it can end in order."""
    up()
    psutil.Process(status_of()["pid"]).suspend()
    assert devserver("down").stdout == "stopped default\n"
    assert "graceful_stop" in devserver("logs").stdout
    assert processes_of(home) == []


def test_a_damaged_record_hinders_only_its_own_instance(quick_up: Run, devserver: Run, paths: Paths) -> None:
    """The file is named, and the other instances are stopped as ever."""
    quick_up("--name", "good")
    folder = paths.instance("bad")
    folder.mkdir(mode=0o700)
    (folder / "record.json").write_text("{")
    assert devserver("down", "--name", "good").stdout == "stopped good\n"
    done = devserver("down", "--name", "bad")
    assert done.returncode == 1
    assert done.stderr.splitlines()[0] == (
        f"error: cannot read the record of the instance bad: {folder / 'record.json'}"
    )
    assert done.stderr.splitlines()[-1] == (
        f"hint: remove {folder / 'record.json'} and run devserver up --name bad again; the database is not changed"
    )
    (folder / "record.json").unlink()
