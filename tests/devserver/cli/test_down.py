"""`devserver down`: servers stop reliably, and their state is kept."""

from __future__ import annotations

from pathlib import Path

import psutil

from devserver.system.paths import Paths
from tests.conftest import Run, processes_of

from .conftest import StatusOf


def test_down_stops_the_server_and_keeps_its_state(up: Run, devserver: Run, status_of: StatusOf, home: Path) -> None:
    """No process is left, the database is kept, and `status` reports stopped."""
    up()
    done = devserver("down")
    assert (done.returncode, done.stdout, done.stderr) == (0, "stopped default\n", "")
    found = status_of()
    assert (found["state"], found["pid"], found["supervisor_pid"]) == ("stopped", None, None)
    assert Path(found["database"]).is_file()
    assert processes_of(home) == []


def test_stopping_a_stopped_server_is_not_an_error(quick_up: Run, devserver: Run) -> None:
    """Scripts can call `down` twice without checking first."""
    quick_up("--name", "a")
    devserver("down", "--name", "a")
    done = devserver("down", "--name", "a")
    assert (done.returncode, done.stdout, done.stderr) == (0, "a was not running\n", "")


def test_unknown_name_is_an_error(quick_up: Run, devserver: Run) -> None:
    """A mistyped name is an error that lists the known names."""
    quick_up("--name", "orders")
    done = devserver("down", "--name", "order")
    assert (done.returncode, done.stdout) == (4, "")
    assert done.stderr == (
        "error: there is no instance order\n"
        "hint: existing instances: orders; start order with: devserver up --name order\n"
    )


def test_all(quick_up: Run, devserver: Run, home: Path) -> None:
    """--all stops every running server and names it; with none running it is not an error."""
    for name in ("a", "b", "c"):
        quick_up("--name", name)
    devserver("down", "--name", "b")
    assert devserver("down", "--all").stdout == "stopped a\nstopped c\n"
    assert processes_of(home) == []
    done = devserver("down", "--all")
    assert (done.returncode, done.stdout) == (0, "no server was running\n")


def test_frozen_server_is_stopped(up: Run, devserver: Run, status_of: StatusOf, home: Path) -> None:
    """A suspended server is resumed so that it can shut down cleanly."""
    up()
    psutil.Process(status_of()["pid"]).suspend()
    assert devserver("down").stdout == "stopped default\n"
    assert "graceful_stop" in devserver("logs").stdout
    assert processes_of(home) == []


def test_damaged_record_affects_only_its_own_instance(quick_up: Run, devserver: Run, paths: Paths) -> None:
    """The damaged file is named, and the other instances are stopped."""
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
