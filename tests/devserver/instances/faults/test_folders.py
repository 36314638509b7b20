"""Unusable or unsafe state folders, full disks, damaged records, and permissions of our files."""

from __future__ import annotations

import json
import os
import stat
import subprocess
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from devserver.instances.folder import RECORD
from devserver.system.paths import Paths
from tests.conftest import Run, ephemeral_folders_of, processes_of
from tests.devserver.instances.faults.conftest import Disk, fill

pytestmark = pytest.mark.usefixtures("installed")

UP = ("up", "-d", "--port", "0", "--no-ui")
SECRET = "s3cr3t-that-nobody-may-find"


def refused(done: subprocess.CompletedProcess[str]) -> str:
    """Return the error of a command that failed as expected."""
    assert done.returncode == 1, (done.stdout, done.stderr)
    assert "Traceback" not in done.stderr
    return done.stderr


# Folders


def test_state_folder_writable_by_others(devserver: Run, paths: Paths) -> None:
    """A state folder with mode 0777 is refused by all commands, also those that only read it, with the command that
    fixes it."""
    assert devserver(*UP).returncode == 0
    paths.state.chmod(0o777)
    for args in (UP, ("status",), ("list",), ("down",), ("logs",)):
        message = refused(devserver(*args))
        assert f"other users may write to {paths.state} (mode 0777)" in message
        assert f"chmod 700 {paths.state}" in message
    paths.state.chmod(0o700)
    assert devserver("down").stdout == "stopped default\n"


@pytest.mark.skipif(os.geteuid() != 0, reason="giving a folder away needs root")
@pytest.mark.parametrize("which", ["state", "instance"])
def test_state_folder_of_another_user(devserver: Run, paths: Paths, which: str) -> None:
    """A state folder, or an instance's folder, that belongs to another user is refused."""
    folder = paths.state if which == "state" else paths.instance("default")
    folder.mkdir(parents=True, mode=0o700)
    os.chown(folder, 65534, 65534)
    message = refused(devserver(*UP))
    assert f"{folder} belongs to user 65534" in message


def test_state_folder_without_write_permission(
    unprivileged: Callable[..., subprocess.CompletedProcess[str]], paths: Paths
) -> None:
    """The error names the variable that selects another folder."""
    paths.state.mkdir(mode=0o500)
    message = refused(unprivileged(*UP))
    assert str(paths.state) in message
    assert "DEVSERVER_HOME" in message


def test_state_folder_without_read_permission(
    unprivileged: Callable[..., subprocess.CompletedProcess[str]], paths: Paths
) -> None:
    """Every command reports that it cannot read the folder."""
    paths.instances.mkdir(parents=True, mode=0o700)
    paths.state.chmod(0o000)
    try:
        for args in (UP, ("status",), ("list",), ("down",)):
            assert str(paths.state) in refused(unprivileged(*args))
    finally:
        paths.state.chmod(0o700)


def test_state_folder_that_is_a_file(devserver: Run, paths: Paths) -> None:
    """A file in place of the state folder is an error."""
    paths.state.write_text("")
    assert f"cannot create the folder {paths.state}" in refused(devserver(*UP))


def test_full_disk_below_the_state_folder(devserver: Run, paths: Paths, disk: Disk, home: Path) -> None:
    """On a full disk nothing is started and no file is left, but a running server can be stopped."""
    disk(paths.state, 400_000)
    assert devserver(*UP, "--name", "before").returncode == 0
    filler = fill(paths.state)
    for args in (UP, (*UP, "--ephemeral"), ("up", "--port", "0", "--no-ui")):
        message = refused(devserver(*args))
        assert "No space left on device" in message
        assert "free some space" in message
    assert ephemeral_folders_of(home) == []
    assert devserver("down", "--name", "before").returncode == 0
    assert processes_of(home) == []
    filler.unlink()
    assert devserver(*UP).returncode == 0
    assert devserver("down").returncode == 0


def test_restore_into_a_stopped_ephemeral_instance_is_refused(devserver: Run, home: Path) -> None:
    """A stopped ephemeral instance has no state to replace, and its folder in memory would never be removed."""
    assert devserver(*UP, "--ephemeral").returncode == 0
    assert devserver("snapshot", "save", "one").returncode == 0
    assert devserver("down").returncode == 0
    message = refused(devserver("snapshot", "restore", "one", "--yes"))
    assert "is ephemeral and not running" in message
    assert ephemeral_folders_of(home) == []


# Files


def test_files_are_private(devserver: Run, paths: Paths, home: Path) -> None:
    """Our folders have mode 0700 and our files 0600, including the database, whatever the umask is."""
    before = os.umask(0)
    try:
        assert devserver(*UP).returncode == 0
    finally:
        os.umask(before)
    for root in (paths.state, paths.data):
        for path in (root, *root.rglob("*")):
            mode = 0o700 if path.is_dir() else 0o600
            assert stat.S_IMODE(path.stat().st_mode) == mode, path
    assert devserver("down").returncode == 0


def test_damaged_record(devserver: Run, paths: Paths) -> None:
    """An unreadable record is an error with its path; removing it, as the hint suggests, helps."""
    assert devserver(*UP).returncode == 0
    assert devserver("down").returncode == 0
    path = paths.instance("default") / RECORD
    for text in ("", "{", "[]", "{}", '{"name": 5}', "null", "\x00\xff"):
        path.write_text(text, encoding="latin-1")
        for args in (UP, ("status",), ("down",)):
            message = refused(devserver(*args))
            assert f"cannot read the record of the instance default: {path}" in message, text
            assert f"remove {path}" in message
    path.unlink()
    assert devserver(*UP).returncode == 0
    assert devserver("down").returncode == 0


def test_damaged_record_of_another_instance(devserver: Run, paths: Paths) -> None:
    """Other instances can still be started, listed and stopped."""
    folder = paths.instance("other")
    folder.mkdir(parents=True, mode=0o700)
    (folder / RECORD).write_text("{")
    assert devserver(*UP).returncode == 0
    assert devserver("status").returncode == 0
    assert devserver("down").returncode == 0


def test_record_removed_while_the_server_runs(devserver: Run, paths: Paths, home: Path) -> None:
    """A second server of that name is refused, and the error names the process of the first."""
    assert devserver(*UP).returncode == 0
    lost = json.loads((paths.instance("default") / RECORD).read_text())
    (paths.instance("default") / RECORD).unlink()
    assert f"another process (pid {lost['supervisor']['pid']}) runs the instance" in refused(devserver(*UP))
    os.kill(lost["supervisor"]["pid"], 15)


# The user's environment


def test_environment_of_clients_is_ignored(devserver: Run, home: Path) -> None:
    """`TEMPORAL_*` variables and a malformed client profile are for clients, and the server starts.

    Its own check for new versions, which would ask a host of Temporal at each start, is off.
    """
    profile = home / ".config" / "temporalio" / "temporal.toml"
    profile.parent.mkdir(parents=True)
    profile.write_text("this is [no TOML")
    strange = {
        "TEMPORAL_ADDRESS": "example.com:1",
        "TEMPORAL_NAMESPACE": "elsewhere",
        "TEMPORAL_TLS": "true",
        "TEMPORAL_PROFILE": "missing",
        "TEMPORAL_API_KEY": "key",
        "TEMPORAL_CONFIG_FILE": str(profile),
        "HTTP_PROXY": "http://127.0.0.1:1",
        "http_proxy": "http://127.0.0.1:1",
    }
    done = devserver(*UP, "--search-attribute", "Customer=Keyword", env=strange)
    assert done.returncode == 0, done.stderr
    server = psutil.Process(json.loads(devserver("status", "--json").stdout)["pid"])
    own = {name: value for name, value in server.environ().items() if name.startswith("TEMPORAL_")}
    assert own == {"TEMPORAL_CONFIG_FILE": os.devnull, "TEMPORAL_VERSION_CHECK_DISABLED": "1"}
    done = devserver("temporal", "operator", "namespace", "describe", "--output", "json", "-n", "default", env=strange)
    assert json.loads(done.stdout)["namespaceInfo"]["name"] == "default"
    assert devserver("down").returncode == 0


@pytest.mark.parametrize("options", [(), ("--log-level", "debug")], ids=["usual", "debug"])
def test_no_secret_is_written(devserver: Run, paths: Paths, home: Path, options: tuple[str, ...]) -> None:
    """No value of the user's environment is in our files, also after a crash of the supervisor."""
    secrets = dict.fromkeys(("AWS_SECRET_ACCESS_KEY", "TEMPORAL_API_KEY", "MY_TOKEN"), SECRET)
    assert devserver(*UP, *options, env=secrets).returncode == 0
    assert devserver("restart", env=secrets).returncode == 0
    assert devserver("status", env=secrets).returncode == 0
    assert devserver("down", env=secrets).returncode == 0
    for root in (paths.state, paths.data):
        for path in root.rglob("*"):
            assert path.is_dir() or SECRET.encode() not in path.read_bytes(), path


# Names that Temporal refuses


@pytest.mark.parametrize("name", ["", "temporal-system", "x" * 1001, "two words", "a/b"])
def test_namespace_that_temporal_refuses(devserver: Run, paths: Paths, name: str) -> None:
    """A namespace that the server would refuse is an error before anything is started."""
    done = devserver(*UP, "--namespace", name)
    assert done.returncode == 2
    assert "namespace" in done.stderr
    assert not paths.state.exists()
