"""Executables that are invalid or do not start a server."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.conftest import Run, processes_of
from tests.helpers import illbehaved
from tests.helpers.waiting import eventually

UP = ("up", "-d", "--port", "0", "--no-ui")


def test_executable_that_exits_at_once(devserver: Run, tmp_path: Path, home: Path) -> None:
    """The error shows the exit code and the output."""
    path = illbehaved.exits(tmp_path / "bin", "panic: no shards left", code=3)
    done = devserver(*UP, "--binary", str(path))
    assert done.returncode == 1
    assert "error: the server ended with exit code 3 before it was ready" in done.stderr
    assert "panic: no shards left" in done.stderr
    assert f"{path} --version" in done.stderr
    eventually(lambda: not processes_of(home))


@pytest.mark.parametrize("mode", [("up", "--port", "0", "--no-ui"), UP], ids=["foreground", "detached"])
def test_executable_that_hangs(devserver: Run, tmp_path: Path, home: Path, mode: tuple[str, ...]) -> None:
    """A server that never listens is ended at the timeout, and the hint names --timeout."""
    done = devserver(*mode, "--binary", str(illbehaved.hangs(tmp_path / "bin")), "--timeout", "0.5")
    assert done.returncode == 1
    assert "error: the server was not ready within 0.5 s" in done.stderr
    assert re.search(
        r"  nothing listens on its HTTP port \d+\n  its process has used 0\.\d s of CPU time; "
        r"the load of the machine is [\d.]+ on \d+ CPUs\n  its log is empty\n",
        done.stderr,
    )
    assert "hint: allow more time with --timeout" in done.stderr
    eventually(lambda: not processes_of(home))
    status = devserver("status")
    assert "crashed" in status.stdout
    assert "was not ready within" in status.stdout


def test_server_that_never_answers(devserver: Run, tmp_path: Path, home: Path) -> None:
    """A server that listens and never answers is not ready, and is ended at the timeout."""
    done = devserver(*UP, "--binary", str(illbehaved.listens_only(tmp_path / "bin")), "--timeout", "0.5")
    assert done.returncode == 1
    assert "error: the server was not ready within 0.5 s\n  no answer on its HTTP port " in done.stderr
    eventually(lambda: not processes_of(home))  # its supervisor ends once it has reported


def test_server_that_is_stopped_while_it_starts(devserver: Run, tmp_path: Path, home: Path, real_binary: Path) -> None:
    """The signal is named, not a lack of time, and its process is gone."""
    path = illbehaved.stops(tmp_path / "bin", real_binary)
    done = devserver(*UP, "--binary", str(path), "--timeout", "1")
    assert done.returncode == 1
    assert "error: the server was not ready within 1 s: a signal has stopped its process\n" in done.stderr
    assert "hint: find what sent the signal" in done.stderr
    eventually(lambda: not processes_of(home))


def test_http_api_that_refuses_us(devserver: Run, tmp_path: Path, home: Path, real_binary: Path) -> None:
    """An executable with hosts of its own for the HTTP API locks devserver out: the setting is named."""
    path = illbehaved.adds(tmp_path / "bin", real_binary, "--dynamic-config-value", 'frontend.httpAllowedHosts=["x"]')
    done = devserver(*UP, "--binary", str(path), "--timeout", "3")
    assert done.returncode == 1
    assert "within 3 s: its HTTP API refuses the host devserver.invalid, by which devserver asks" in done.stderr
    assert "it does not serve the namespace default: Host not allowed" in done.stderr
    assert "hint: frontend.httpAllowedHosts in its configuration must include devserver.invalid" in done.stderr
    eventually(lambda: not processes_of(home))


def test_server_that_dies_late(devserver: Run, tmp_path: Path, home: Path) -> None:
    """A server that dies while its namespaces are created is an error with its last output."""
    done = devserver(*UP, "--binary", str(illbehaved.dies_when_asked_for_namespaces(tmp_path / "bin")))
    assert done.returncode == 1
    assert "error: the server ended with exit code 7 before it was ready" in done.stderr
    assert "panic: out of namespaces" in done.stderr
    eventually(lambda: not processes_of(home))


def test_text_file(devserver: Run, tmp_path: Path) -> None:
    """A text file is refused before anything is started."""
    path = tmp_path / "temporal"
    path.write_text("just some words\n")
    path.chmod(0o755)
    done = devserver(*UP, "--binary", str(path))
    assert done.returncode == 1
    assert f"error: {path} is not a working Temporal executable" in done.stderr


def test_file_without_execute_permission(devserver: Run, tmp_path: Path) -> None:
    """The file is refused, and the hint shows the command that fixes it."""
    path = illbehaved.exits(tmp_path / "bin", "never said")
    path.chmod(0o644)
    done = devserver(*UP, "--binary", str(path))
    assert done.returncode == 1
    assert f"hint: run: chmod u+rx {path}" in done.stderr


def test_execute_permission_removed_before_a_restart(devserver: Run, tmp_path: Path, real_binary: Path) -> None:
    """`restart` reports that the executable may not be executed any more."""
    gate = illbehaved.Gate(tmp_path / "gate", real_binary)
    gate.open()
    assert devserver(*UP, "--binary", str(gate.path)).returncode == 0
    gate.path.chmod(0o644)
    done = devserver("restart")
    assert done.returncode == 1
    assert f"error: you may not read and execute {gate.path}" in done.stderr


def test_truncated_executable(devserver: Run, tmp_path: Path, real_binary: Path) -> None:
    """The first megabyte of the real executable is refused."""
    path = tmp_path / "temporal"
    with real_binary.open("rb") as file:
        path.write_bytes(file.read(1_000_000))
    path.chmod(0o755)
    done = devserver(*UP, "--binary", str(path))
    assert done.returncode == 1
    assert f"error: {path} is not a working Temporal executable" in done.stderr


def test_missing_executable(devserver: Run, tmp_path: Path) -> None:
    """A path without a file is an error."""
    done = devserver(*UP, "--binary", str(tmp_path / "nowhere"))
    assert done.returncode == 1
    assert str(tmp_path / "nowhere") in done.stderr


def test_executable_removed_before_a_restart(devserver: Run, tmp_path: Path, real_binary: Path) -> None:
    """`restart` reports that the executable is missing; `up` starts another one."""
    path = tmp_path / "temporal"
    path.symlink_to(real_binary)
    copy = tmp_path / "bin" / "temporal"
    copy.parent.mkdir()
    copy.hardlink_to(real_binary)
    assert devserver(*UP, "--binary", str(copy)).returncode == 0
    copy.unlink()
    done = devserver("restart")
    assert done.returncode == 1
    assert f"error: the executable of the instance default does not exist anymore: {copy}" in done.stderr
    assert devserver(*UP, "--binary", str(path)).returncode == 0
    assert devserver("down").returncode == 0
