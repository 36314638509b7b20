"""Problems that the doctor finds."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import sqlite3
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest

from devserver import DevServer
from devserver.database import CheckResult
from devserver.executables.models import Executable
from devserver.instances.doctor import examine
from devserver.system.paths import Paths
from tests.helpers.waiting import eventually

from ...conftest import SHARED_MEMORY, Run


@pytest.fixture(autouse=True)
def usual_port(monkeypatch: pytest.MonkeyPatch) -> None:
    """A free port in place of 7233, on which the developer's own server may run."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        monkeypatch.setattr("devserver.instances.doctor.DEFAULT_PORT", unused.getsockname()[1])


def findings_of(paths: Paths, level: str, *, only: str | None = None) -> list[CheckResult]:
    """Return the findings of one level."""
    return [finding for finding in examine(paths, only=only) if finding.level == level]


def test_no_problems(paths: Paths, installed: Executable, devserver: Run) -> None:
    """There is no error and no warning, the exit code is 0, and a line says so."""
    with DevServer.start("well", port=0):
        done = devserver("doctor", "--name", "well")
        findings = list(examine(paths))
    assert done.returncode == 0
    assert done.stdout.endswith("all is well\n"), done.stdout
    assert "instance well: ready" in done.stdout
    assert "SQLite finds no damage" in done.stdout
    assert {finding.level for finding in findings} == {"ok"}, findings


def test_a_new_machine(paths: Paths) -> None:
    """A missing state folder is not an error, and is not created."""
    assert findings_of(paths, "error") == []
    assert not paths.data.exists()


def test_a_modified_executable(paths: Paths, installed: Executable) -> None:
    """A byte changed since the installation is an error that says how to replace the executable."""
    content = installed.path.read_bytes()
    installed.path.unlink()  # it is a link to the session's
    installed.path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    errors = findings_of(paths, "error")
    assert len(errors) == 1
    assert "has changed since it was installed" in errors[0].text
    assert errors[0].hint == f"run: rm -r {installed.path.parent}; devserver install 1.9.1"


def test_a_folder_writable_by_others(paths: Paths) -> None:
    """It is an error, because others could replace the executable, with the command that fixes it."""
    paths.store.mkdir(parents=True)
    paths.store.chmod(0o777)
    (error,) = findings_of(paths, "error")
    assert (error.topic, error.hint) == ("cache", f"run: chmod 700 {paths.store}")


def test_a_malformed_table_in_pyproject(paths: Paths) -> None:
    """Malformed settings, on which every command would fail, are reported."""
    Path("pyproject.toml").write_text("[tool.devserver]\nprot = 1\n")
    (error,) = findings_of(paths, "error")
    assert error.topic == "settings"
    assert "'prot'" in error.text


def error_of(done: Any) -> dict[str, str]:
    """Return the only error of `doctor --json`."""
    error: dict[str, str]
    (error,) = [finding for finding in json.loads(done.stdout)["findings"] if finding["level"] == "error"]
    return error


def test_a_frozen_server(installed: Executable, devserver: Run) -> None:
    """A server that is stopped, and one whose namespace was deleted, are errors with their own cause and way out."""
    with DevServer.start("frozen", port=0, namespaces=["shop"]) as server:
        server.freeze()
        done = devserver("doctor", "--name", "frozen", "--json")
        server.thaw()
        frozen = error_of(done)
        words = ("operator", "namespace", "delete", "--namespace", "shop", "--yes")
        assert devserver("temporal", "--name", "frozen", "--", *words).returncode == 0
        deleted = eventually(lambda: (done := devserver("doctor", "--name", "frozen", "--json")).returncode and done)
        assert devserver("restart", "--name", "frozen").returncode == 0
        again = devserver("status", "--name", "frozen")
    assert frozen["topic"] == "instance frozen"
    assert frozen["text"].startswith("unresponsive")
    assert ": it does not answer: " in frozen["text"]
    assert "is stopped by a signal: continue it with kill -CONT " in frozen["hint"]
    assert error_of(deleted)["text"].endswith(": it has no namespace shop")
    assert error_of(deleted)["hint"] == "it was deleted; devserver restart --name frozen creates it again, empty"
    assert again.returncode == 0


def test_a_killed_server(paths: Paths, installed: Executable) -> None:
    """The finding names the signal and the command that starts the server again; nothing is cleaned up."""
    server = DevServer.start("dead", port=0, detach=True)
    server.kill()
    (warning,) = findings_of(paths, "warning", only="dead")
    assert "crashed" in warning.text
    assert warning.hint == "devserver up --name dead starts it with its kept state"


def test_a_damaged_database(paths: Paths, installed: Executable) -> None:
    """Damage inside the file is found."""
    server = DevServer.start("torn", port=0, detach=True)
    server.stop()
    with contextlib.closing(sqlite3.connect(server.database)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    with server.database.open("r+b") as file:
        file.seek(4096 * 3)
        file.write(os.urandom(4096 * 20))
    assert any("database" in finding.topic or "integrity" in finding.topic for finding in findings_of(paths, "error"))


def test_another_process_on_the_default_port(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    """The process on the default port of `devserver up` is named."""
    with socket.socket() as stranger:
        stranger.bind(("127.0.0.1", 0))
        stranger.listen()
        monkeypatch.setattr("devserver.instances.doctor.DEFAULT_PORT", stranger.getsockname()[1])
        (warning,) = [finding for finding in findings_of(paths, "warning") if finding.topic == "port"]
        monkeypatch.setenv("DEVSERVER_PORT", "0")
        assert findings_of(paths, "warning") == []
    assert f"pid {os.getpid()}" in warning.text


def test_variables_that_redirect_clients(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    """A forgotten TEMPORAL_ADDRESS explains why clients do not reach the local server."""
    monkeypatch.setenv("TEMPORAL_ADDRESS", "elsewhere:7233")
    (warning,) = [finding for finding in findings_of(paths, "warning") if finding.topic == "environment"]
    assert "TEMPORAL_ADDRESS=elsewhere:7233" in warning.text


def test_an_unknown_instance(devserver: Run) -> None:
    """Checking an unknown instance is an error."""
    done = devserver("doctor", "--name", "nobody")
    assert done.returncode == 1
    assert "instance nobody: no instance has that name" in done.stdout


def test_an_abandoned_folder_in_memory(paths: Paths) -> None:
    """The leftover of an ephemeral server is reported with the command that removes it."""
    folder = Path(tempfile.mkdtemp(prefix="temporal-devserver-", dir=SHARED_MEMORY))
    (folder / "owner").write_text(str(paths.instance("gone")))
    (warning,) = findings_of(paths, "warning")
    assert (warning.topic, warning.hint) == ("leftover", f"run: rm -r {folder}")
    paths.instance("gone").mkdir(parents=True)
    assert findings_of(paths, "warning") == []
    shutil.rmtree(folder)


def test_the_doctor_installs_nothing(paths: Paths, devserver: Run) -> None:
    """`up` would copy the executable of the environment; the doctor only says so."""
    done = devserver("doctor")
    assert done.returncode == 0
    assert "devserver up downloads one first" in done.stdout
    assert not paths.cache.exists()


def test_a_configured_version_that_would_be_refused(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    """The finding is the error of `up`, with its hint."""
    monkeypatch.setenv("DEVSERVER_VERSION", "newest")
    (warning,) = findings_of(paths, "warning")
    assert "devserver up fails: 'newest' is not a version" in warning.text


def test_a_mistyped_variable(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    """A variable with a mistyped name is reported, because it has no effect."""
    monkeypatch.setenv("DEVSERVER_POTR", "7300")
    (warning,) = findings_of(paths, "warning")
    assert warning.text == "DEVSERVER_POTR is set, but no such setting exists"
    assert "DEVSERVER_PORT" in (warning.hint or "")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become someone else")
def test_folders_of_another_user_without_read_permission(tmp_path: Path, home: Path) -> None:
    """Each folder is reported, and the doctor continues."""
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    code = (
        "import importlib.metadata, os, sys; from pathlib import Path; from devserver.instances import doctor\n"
        "from devserver.system.paths import Paths\n"
        "os.setuid(65534); root = Path(sys.argv[1])\n"
        "paths = Paths(root / 'cache', root / 'state', root / 'data')\n"
        "print([f.topic for f in doctor.examine(paths, environ={}) if f.level == 'error'])"
    )
    for folder in tmp_path.parents:
        if folder.stat().st_uid == 0 and folder.stat().st_mode & 0o077 == 0:
            folder.chmod(0o711)
    tmp_path.chmod(0o755)
    done = subprocess.run(
        [sys.executable, "-c", code, str(closed)], capture_output=True, text=True, cwd="/", check=True
    )
    assert done.stdout.strip() == "['cache', 'state', 'data', 'executable']"
