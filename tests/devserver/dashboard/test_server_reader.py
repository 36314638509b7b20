"""What the dashboard reads of servers: from their files, and only what has changed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from devserver.dashboard import server_reader
from devserver.dashboard.page_text import ago, curve, rate
from devserver.dashboard.server_reader import ServerReader
from devserver.instances.folder import InstanceFolder
from devserver.instances.record import STOPPED, Record
from devserver.instances.status import status
from devserver.system.paths import Paths
from devserver.system.process import ProcessIdentity

DASH = "\N{EN DASH}"


def write_record(paths: Paths, name: str) -> Record:
    """Write the record of a stopped server."""
    data = {
        "name": name,
        "state": STOPPED,
        "supervisor": vars(ProcessIdentity.own()),
        "server": None,
        "ports": {"grpc": 7233, "http": 7243, "ui": 8233, "metrics": 9000},
        "options": {},
        "version": "1.9.1",
        "server_version": "1.32.0",
        "executable": "/nowhere/temporal",
        "database": str(paths.database(name)),
        "namespaces": ["default"],
        "held": False,
        "linger": 0.0,
        "started_at": "2026-03-01T12:00:00Z",
    }
    record = Record.from_json(data)
    folder = InstanceFolder(paths, name)
    folder.create()
    folder.write_record(record)
    return record


def test_servers_are_read_from_their_records(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stopped server is shown; what has not changed is not asked again."""
    write_record(paths, "shop")
    reader = ServerReader(paths)
    asked = []

    def ask(folder: InstanceFolder, record: Record) -> dict[str, Any]:
        asked.append(folder.name)
        return status(folder, record)

    monkeypatch.setattr(server_reader, "status", ask)
    for _ in range(3):
        (view,) = reader.read()
    assert (view.name, view.status["state"], view.size, view.ready) == ("shop", "stopped", 0, False)
    assert len(asked) == 1
    write_record(paths, "shop")
    reader.read()
    assert len(asked) == 2


def test_a_damaged_record_is_named(paths: Paths) -> None:
    """The others are shown, and what is damaged says why."""
    write_record(paths, "shop")
    write_record(paths, "other")
    (InstanceFolder(paths, "other").path / "record.json").write_text(json.dumps({"name": "other"}))
    reader = ServerReader(paths)
    assert [view.name for view in reader.read()] == ["shop"]
    (problem,) = reader.damaged
    assert "cannot read the record of the instance other" in problem


def test_a_folder_of_others_is_no_server(paths: Paths) -> None:
    """Nothing at all is an empty page."""
    assert ServerReader(paths).read() == []
    Path(paths.instances / "x").mkdir(parents=True, mode=0o700)
    assert ServerReader(paths).read() == []


def test_times_and_numbers_are_short() -> None:
    """They change rarely, so that the page does."""
    assert ago(None) == DASH
    assert ago("2020-01-01T00:00:00Z").endswith(" d ago")
    assert [rate(value) for value in (None, 0, 0.01, 3.0)] == [DASH, "0/s", "0.6/min", "3.0/s"]
    assert curve([0.0, None, 2.0]) == "0.0,34.0 240.0,2.0"
    assert curve([]) == ""
