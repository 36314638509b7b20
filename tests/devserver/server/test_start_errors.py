"""Errors for a failed start, from the server's last output."""

from __future__ import annotations

import errno
import os
import socket
from dataclasses import replace
from pathlib import Path

import pytest

from devserver.config.server_options import ServerOptions
from devserver.errors import (
    DatabaseCorrupt,
    DatabaseError,
    DevServerError,
    FolderNotWritable,
    PortLost,
    PortTaken,
    StartFailed,
    StartTimeout,
)
from devserver.server.command_line import Ports
from devserver.server.spec import ServerSpec
from devserver.server.start_errors import Seen, explain_exit, explain_refusal, explain_timeout
from devserver.system.paths import Paths


@pytest.fixture
def spec(tmp_path: Path) -> ServerSpec:
    """Return a spec of a server."""
    return ServerSpec(
        name="default",
        paths=Paths(tmp_path / "cache", tmp_path / "state", tmp_path / "data"),
        options=ServerOptions(),
        executable=tmp_path / "temporal",
        version="1.9.1",
        server_version="1.32.0",
        database=tmp_path / "temporal.db",
        ports=Ports(grpc=7233, http=7243, metrics=7253, ui=8233),
    )


@pytest.mark.parametrize(
    ("line", "expected", "words"),
    [
        ("sqlite: database or disk is full (13)", FolderNotWritable, "the disk is full or read-only"),
        ("write /x: no space left on device", FolderNotWritable, "the disk is full or read-only"),
        ("attempt to write a readonly database (8)", FolderNotWritable, "the disk is full or read-only"),
        ("database is locked (5) (SQLITE_BUSY)", DatabaseError, "is locked by another process"),
        ("database disk image is malformed (11)", DatabaseCorrupt, "is damaged, or is not a Temporal database"),
        ("file is not a database (26)", DatabaseCorrupt, "is damaged, or is not a Temporal database"),
        (
            "SQL logic error: no such table: namespaces (1)",
            DatabaseCorrupt,
            "is damaged, or is not a Temporal database",
        ),
        ("panic: something new", StartFailed, "ended with exit code 1 before it was ready"),
    ],
)
def test_cause(spec: ServerSpec, line: str, expected: type[DevServerError], words: str) -> None:
    """Every known cause has its own error, with the server's output and a fix."""
    error = explain_exit(spec, 1, ["starting", line])
    assert type(error) is expected
    assert words in error.message
    assert error.details == ("last lines of its log:", "starting", line)
    assert error.hint


def test_timeout(spec: ServerSpec) -> None:
    """A server that is not ready in time because it has no room is reported as such, with the way to more room."""
    assert type(explain_timeout(spec, ["starting"], Seen())) is StartTimeout
    full = explain_timeout(
        replace(spec, options=ServerOptions(ephemeral=True)), ["database or disk is full (13)"], Seen()
    )
    assert type(full) is FolderNotWritable
    assert full.hint == f"free some space in {spec.database.parent.parent}, or use a larger --ephemeral-size"


def test_log_level_never(spec: ServerSpec) -> None:
    """Without a log no cause is claimed, and the hint says how to get one."""
    off = replace(spec, options=ServerOptions(log_level="never"))
    for error in (explain_exit(off, 1, []), explain_timeout(off, [], Seen())):
        assert type(error) in (StartFailed, StartTimeout)
        assert error.details == ("its log is empty",)
        assert "start it with --log-level error, which shows the cause" in (error.hint or "")


def test_signal(spec: ServerSpec) -> None:
    """A killed server is reported as such, without output, and also if it logged a lock that it was waiting for."""
    error = explain_exit(spec, -9, [])
    assert error.message == "the server was killed by signal 9 before it was ready"
    assert error.details == ("its log is empty",)
    locked = explain_exit(spec, -9, ["database is locked (5) (SQLITE_BUSY), retrying"])
    assert locked.message == error.message
    assert "something else ended it" in (locked.hint or "")


@pytest.mark.parametrize("name", ["grpc", "http", "ui", "metrics"])
def test_port_in_use_names_the_option_to_change(spec: ServerSpec, name: str) -> None:
    """If another process took the port, the error names that process and the option of this port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        ports = Ports(**{"grpc": 1, "http": 2, "ui": 3, "metrics": 4, name: port})
        line = f"error: listen tcp 127.0.0.1:{port}: bind: address already in use"
        asked = ServerOptions(**{"port" if name == "grpc" else f"{name}_port": port})
        error = explain_exit(replace(spec, options=asked), 1, [line], ports)
        lost = explain_exit(spec, 1, [line], ports)
    assert type(error) is PortTaken
    assert type(lost) is PortLost  # the port was not requested: the start retries with another one
    assert f"(pid {os.getpid()})" in error.details[0]
    option = "--port" if name == "grpc" else f"--{name}-port"
    assert error.hint == f"stop that process, or choose another port with {option} (0 takes any free one)"


def test_executable_that_the_system_refuses(spec: ServerSpec) -> None:
    """The error has the system's reason instead of an exit code."""
    error = explain_refusal(spec, PermissionError(errno.EACCES, "Permission denied"))
    assert error.message == f"cannot run {spec.executable}: Permission denied"
