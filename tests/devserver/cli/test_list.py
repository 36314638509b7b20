"""`devserver list`: the servers of this user."""

from __future__ import annotations

import json

from devserver.executables.models import Executable
from devserver.system.paths import Paths
from tests.conftest import Run

from .conftest import StatusOf


def test_no_instances(devserver: Run) -> None:
    """A new user sees how to start a server; a script gets an empty list."""
    assert devserver("list").stdout == "no servers yet; start one with: devserver up\n"
    assert json.loads(devserver("list", "--json").stdout) == {"form": 1, "servers": []}


def test_running_and_stopped(quick_up: Run, devserver: Run, status_of: StatusOf) -> None:
    """Instances are listed by name, one per line, below column headings."""
    quick_up("--name", "b", "--no-ui")
    quick_up("--name", "a")
    devserver("down", "--name", "a")
    a, b = status_of("a"), status_of("b")
    rows = [line.split() for line in devserver("list").stdout.splitlines()]
    assert rows == [
        ["NAME", "STATE", "ADDRESS", "UI", "URL", "VERSION"],
        ["a", "stopped", a["address"], a["ui_url"], "1.9.1"],
        ["b", "ready", b["address"], "-", "1.9.1"],
    ]


def test_json_matches_status(quick_up: Run, devserver: Run, status_of: StatusOf) -> None:
    """The objects are those of `status`, in a list with one form version."""
    quick_up("--name", "a")
    quick_up("--name", "b")
    found = json.loads(devserver("list", "--json").stdout)
    assert found.pop("form") == 1
    assert [{"form": 1, **status, "room": None} for status in found["servers"]] == [status_of("a"), status_of("b")]


def test_a_damaged_record_hides_no_other_instance(devserver: Run, paths: Paths, installed: Executable) -> None:
    """Readable records are listed; an unreadable one is also reported as an error."""
    assert devserver("up", "-d", "--port", "0", "--name", "good").returncode == 0
    broken = paths.instance("bad")
    broken.mkdir(mode=0o700)
    (broken / "record.json").write_text("{")
    done = devserver("list")
    devserver("down", "--name", "good")
    assert done.returncode == 0
    assert "good" in done.stdout
    assert "cannot read the record of the instance bad" in done.stderr
