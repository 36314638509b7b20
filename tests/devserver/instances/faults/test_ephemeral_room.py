"""Ephemeral servers whose memory is full: a bound of devserver's, and a file system without space."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from devserver.errors import DatabaseFull
from devserver.instances import ephemeral_database
from devserver.system.files import private_folder
from devserver.system.paths import Paths
from tests.conftest import CLI_LIMIT, Run, command, ephemeral_folders_of
from tests.devserver.instances.faults.conftest import Disk

UP = ("up", "-d", "--port", "0", "--no-ui", "--ephemeral")
FULL = " full: "

# Starts workflows with large inputs until the server has no room for one.
FILL = """
import sys
from devserver import HttpApi, NotAnswering
api, body = HttpApi("127.0.0.1", int(sys.argv[1]), limit=3), {"workflowType": {"name": "W"}, "taskQueue": {"name": "q"}}
for number in range(100):
    try:
        path = f"/api/v1/namespaces/default/workflows/w{number}"
        status, _ = api.call("POST", path, {**body, "input": ["x" * 1500000]})
    except NotAnswering:
        break
    if status != 200:
        break
else:
    sys.exit("it is never full")
"""

# Runs the command in a mount namespace of its own, where memory for files has as many bytes as the first word says.
IN_SMALL_MEMORY = 'mount -t tmpfs -o size="$1" tmpfs /dev/shm && export TMPDIR=/dev/shm && shift && "$@"'


def fill(http_url: str) -> None:
    """Fill the database of a server."""
    subprocess.run([sys.executable, "-c", FILL, http_url.rpartition(":")[2]], check=True, timeout=CLI_LIMIT)


@pytest.fixture
def in_small_memory(home: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run a shell script with `devserver` in it, where the memory for files has that many bytes."""
    words = ["unshare", "--mount", "sh", "-c", IN_SMALL_MEMORY, "sh"]
    if (
        os.geteuid() != 0
        or shutil.which("unshare") is None
        or subprocess.run([*words, "4m", "true"], capture_output=True, check=False).returncode != 0
    ):
        pytest.skip("mounting is not permitted here")

    def run(size: str, *script: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([*words, size, *script], capture_output=True, text=True, timeout=CLI_LIMIT, check=False)

    return run


@pytest.mark.usefixtures("installed")
def test_a_full_database(devserver: Run) -> None:
    """Up, status and doctor show what is left, and when it is full, say so with the way out."""
    assert devserver(*UP, "--ephemeral-size", "16MiB").returncode == 0
    before = json.loads(devserver("status", "--json").stdout)
    room = before["room"]
    assert room["used"] + room["left"] == room["limit"] == 16 * 1024 * 1024
    assert (room["full"], room["hint"]) == (False, None)
    shown = devserver("status").stdout
    assert " of 16.8 MB used, " in shown
    assert "hint" not in shown
    diagnosis = devserver("doctor", "--name", "default").stdout
    assert "ok       instance default: room: " in diagnosis
    assert "all is well" in diagnosis  # such as no word of a stamp, which only a kept file has
    fill(before["http_url"])
    room = json.loads(devserver("status", "--json").stdout)["room"]
    assert room["full"]
    hint = "start it again with a larger --ephemeral-size (in tests --temporal-ephemeral-size)"
    for args in (("status",), ("doctor", "--name", "default"), UP):
        shown = devserver(*args).stdout
        assert FULL in shown, args
        assert hint in shown
    larger = devserver(*UP, "--ephemeral-size", "1GiB")
    assert "--ephemeral-size: running with 16.8 MB, requested 1.1 GB" in larger.stderr
    assert devserver("down").returncode == 0


@pytest.mark.usefixtures("installed")
def test_a_full_file_system(in_small_memory: Callable[..., subprocess.CompletedProcess[str]], home: Path) -> None:
    """Without space in the file system it says which one; nothing is started where not even an empty database fits."""
    refused = in_small_memory("4m", *command(*UP))
    assert refused.returncode == 1
    assert "there is no room for an ephemeral database: /dev/shm has 4.2 MB left" in refused.stderr
    assert "set TMPDIR to a folder with more room" in refused.stderr
    ours = " ".join(command())
    script = f"""
        {ours} {" ".join(UP)} --ephemeral-size 1GiB >&2 || exit 1
        {sys.executable} -c '{FILL}' "$({ours} status --json | sed -n 's/.*http_url.*:\\([0-9]*\\)".*/\\1/p')" >&2
        {ours} status; {ours} doctor --name default; {ours} down >&2
    """
    done = in_small_memory("24m", "sh", "-c", script)
    assert done.stdout.count(FULL) == 2, (done.stdout, done.stderr)
    assert done.stdout.count("hint: free some space in /dev/shm") == 1
    assert "-> free some space in /dev/shm" in done.stdout
    assert "frozen or overloaded" not in done.stdout
    assert ephemeral_folders_of(home) == []


def test_no_folder_has_room(paths: Paths, disk: Disk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that is too small keeps no folder, and commands that only look still work."""
    small = disk(tmp_path / "small", 8_000_000)
    monkeypatch.setattr(ephemeral_database, "SHARED_MEMORY", small)
    monkeypatch.setattr(tempfile, "tempdir", str(small))
    folder = private_folder(paths.instance("shop"))
    with pytest.raises(DatabaseFull, match=r"small has 8\.0 MB left"):
        ephemeral_database.create_folder(folder)
    assert list(small.iterdir()) == []

    def nowhere() -> str:
        raise FileNotFoundError(2, "No usable temporary directory found")

    monkeypatch.setattr(tempfile, "gettempdir", nowhere)
    with pytest.raises(DatabaseFull, match="No usable temporary directory"):
        ephemeral_database.create_folder(folder)
    assert ephemeral_database.existing_folders(paths.instances) == {}
