"""The spec for a supervisor, ports across restarts, and the log."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest

from devserver import DevServer
from devserver.config.server_options import ServerOptions
from devserver.instances.folder import InstanceFolder
from devserver.server.command_line import Ports
from devserver.server.log import LOG, ROTATE_BYTES
from devserver.server.spec import ServerSpec
from devserver.system.paths import Paths


def test_spec_round_trip(tmp_path: Path) -> None:
    """The supervisor reads exactly what its starter wrote."""
    spec = ServerSpec(
        name="orders",
        paths=Paths(tmp_path / "cache", tmp_path / "state", tmp_path / "data"),
        options=ServerOptions(
            namespaces=("a", "b"),
            search_attributes=(("Customer", "Keyword"),),
            dynamic_config=(("key", "1"),),
            database=tmp_path / "mine.db",
        ),
        executable=tmp_path / "temporal",
        version="1.9.1",
        server_version="1.32.0",
        database=tmp_path / "mine.db",
        ports=Ports(grpc=1, http=2, metrics=3, ui=None),
        command=("temporal", "server", "start-dev"),
        held=True,
        linger=2.5,
    )
    assert ServerSpec.from_json(json.loads(json.dumps(spec.to_json()))) == spec
    assert spec.namespaces == ("a", "b", "default")


@pytest.mark.usefixtures("installed")
def test_large_log_is_rotated(paths: Paths) -> None:
    """A large log is renamed, one old log is kept, and a new log is created."""
    DevServer.start("talks", port=0, ui=False).stop()
    log = paths.instance("talks") / LOG
    with log.open("r+b") as file:
        file.truncate(ROTATE_BYTES + 1)
    DevServer.start("talks", ui=False).stop()
    assert log.with_name("server.log.1").stat().st_size == ROTATE_BYTES + 1
    assert log.stat().st_size < ROTATE_BYTES
    size = log.stat().st_size
    DevServer.start("talks", ui=False).stop()
    assert log.stat().st_size > size


@pytest.mark.usefixtures("installed")
def test_last_ports_are_preferred(paths: Paths) -> None:
    """A named instance reuses its ports, or gets others if they are in use."""
    DevServer.start("again").stop()
    first = InstanceFolder(paths, "again").require_record().ports
    DevServer.start("again").stop()
    assert InstanceFolder(paths, "again").require_record().ports == first
    with socket.create_server(("127.0.0.1", first.http)):
        DevServer.start("again").stop()
    third = InstanceFolder(paths, "again").require_record().ports
    assert third.http != first.http
    assert (third.grpc, third.ui, third.metrics) == (first.grpc, first.ui, first.metrics)


@pytest.mark.usefixtures("installed")
def test_default_ui_port(paths: Paths) -> None:
    """If it is free, the Web UI's port is the gRPC port + 1000, as in the stock dev server."""
    for _ in range(5):  # another process may use that port
        DevServer.start("usual").stop()
        ports = InstanceFolder(paths, "usual").require_record().ports
        assert ports.ui is not None
        if ports.ui == ports.grpc + 1000:
            return
        (paths.instance("usual") / "record.json").unlink()
    pytest.fail("never was")
