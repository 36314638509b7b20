"""Ports that are taken: by whom, and how to go on."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from devserver.system.ports import ANY, Reservation
from tests.conftest import Run, processes_of
from tests.devserver.instances.faults.conftest import Begin
from tests.helpers.illbehaved import Gate
from tests.helpers.waiting import eventually

pytestmark = pytest.mark.usefixtures("installed")

UP = ("up", "-d", "--no-ui")


def listening(port: int = 0) -> socket.socket:
    """A socket of this process that listens, allowing others to bind the port as servers do."""
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", port))
    listener.listen()
    return listener


@pytest.mark.parametrize("option", ["--port", "--http-port", "--metrics-port", "--ui-port"])
def test_taken_port_is_told_with_its_holder(devserver: Run, home: Path, option: str) -> None:
    """A port that another process has is an error with that process's pid and the option to change."""
    with listening() as listener:
        port = listener.getsockname()[1]
        done = devserver("up", "-d", "--port", "0", option, str(port))
    assert done.returncode == 1
    assert f"error: cannot listen on 127.0.0.1:{port}: Address already in use" in done.stderr
    assert f"(pid {os.getpid()})" in done.stderr
    assert f"choose another port with {option} (0 takes any free one)" in done.stderr
    assert processes_of(home) == []


def test_port_taken_while_the_server_starts(
    devserver: Run, begin: Begin, tmp_path: Path, real_binary: Path, home: Path
) -> None:
    """A port that was asked for and that another process takes just before the server listens is told likewise."""
    gate = Gate(tmp_path / "gate", real_binary)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with begin(*UP, "--port", str(port), "--binary", str(gate.path)) as process:
        eventually(gate.started)
        with listening(gate.port()):
            gate.open()
            _, said = process.communicate(timeout=180)
    assert process.returncode == 1
    assert f"error: cannot listen on 127.0.0.1:{gate.port()}" in said
    assert f"(pid {os.getpid()})" in said
    assert "choose another port with --port" in said
    assert processes_of(home) == []


def test_another_port_is_taken_where_any_would_do(
    devserver: Run, begin: Begin, tmp_path: Path, real_binary: Path
) -> None:
    """A port that was chosen as a free one and got lost before the server listened is replaced by another."""
    gate = Gate(tmp_path / "gate", real_binary)
    with begin(*UP, "--port", "0", "--binary", str(gate.path)) as process:
        eventually(gate.started)
        lost = gate.port()
        with listening(lost):
            gate.open()
            process.communicate(timeout=180)
            assert process.returncode == 0
            assert f":{lost}\n" not in devserver("env").stdout
    assert devserver("down").returncode == 0


def test_usual_ports_of_an_instance_may_be_taken(devserver: Run) -> None:
    """An instance whose ports of the last time are taken gets others, unless it asked for them."""
    assert devserver(*UP, "--name", "moves").returncode == 0
    first = devserver("env", "--name", "moves", "--format", "dotenv").stdout
    assert devserver("down", "--name", "moves").returncode == 0
    port = int(first.splitlines()[0].rpartition(":")[2].strip('"'))
    with listening(port):
        assert devserver(*UP, "--name", "moves").returncode == 0
        assert devserver("env", "--name", "moves", "--format", "dotenv").stdout != first
        assert devserver("down", "--name", "moves").returncode == 0


def test_reserved_port_is_not_given_away_meanwhile(
    devserver: Run, begin: Begin, tmp_path: Path, real_binary: Path
) -> None:
    """While a server starts, nobody is given its ports by the system."""
    gate = Gate(tmp_path / "gate", real_binary)
    with begin(*UP, "--port", "0", "--binary", str(gate.path)) as process:
        eventually(gate.started)
        with pytest.raises(OSError, match="in use"), socket.socket() as other:
            other.bind(("127.0.0.1", gate.port()))
        others = [Reservation("127.0.0.1", ANY) for _ in range(100)]
        assert gate.port() not in [each.port for each in others]
        for each in others:
            each.release()
        gate.open()
        process.communicate(timeout=180)
    assert process.returncode == 0
    assert devserver("down").returncode == 0
