"""Ports in use: who uses them, and what to do."""

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
    """A listening socket of this process that lets others bind the port, as servers do."""
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", port))
    listener.listen()
    return listener


@pytest.mark.parametrize("option", ["--port", "--http-port", "--metrics-port", "--ui-port"])
def test_port_in_use_names_the_process(devserver: Run, home: Path, option: str) -> None:
    """The error names the pid of the process and the option for another port."""
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
    """If another process takes the requested port just before the server listens, the error is the same."""
    gate = Gate(tmp_path / "gate", real_binary)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with begin(*UP, "--port", str(port), "--binary", str(gate.path)) as process:
        eventually(gate.started)
        with listening(gate.port()):
            gate.open()
            _, errors = process.communicate(timeout=180)
    assert process.returncode == 1
    assert f"error: cannot listen on 127.0.0.1:{gate.port()}" in errors
    assert f"(pid {os.getpid()})" in errors
    assert "choose another port with --port" in errors
    assert processes_of(home) == []


def test_lost_free_port_is_replaced(devserver: Run, begin: Begin, tmp_path: Path, real_binary: Path) -> None:
    """A free port that is lost before the server listens is replaced by another."""
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


def test_last_ports_of_an_instance_are_in_use(devserver: Run) -> None:
    """The instance gets other ports, unless it asked for these."""
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
    """While a server starts, the system gives its ports to nobody."""
    gate = Gate(tmp_path / "gate", real_binary)
    with begin(*UP, "--port", "0", "--binary", str(gate.path)) as process:
        eventually(gate.started)
        with pytest.raises(OSError, match="in use"), socket.socket() as other:
            other.bind(("127.0.0.1", gate.port()))
        others = [Reservation("127.0.0.1", ANY) for _ in range(100)]
        assert gate.port() not in [reservation.port for reservation in others]
        for reservation in others:
            reservation.release()
        gate.open()
        process.communicate(timeout=180)
    assert process.returncode == 0
    assert devserver("down").returncode == 0
