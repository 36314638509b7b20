"""What containers do: users without a name, homes that are missing or read-only, other PID namespaces, noexec."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from devserver.system.paths import Paths
from tests.conftest import CLI_LIMIT, Run, command, ephemeral_folders_of
from tests.helpers.waiting import eventually

UID = 12345
UP = ("up", "-d", "--port", "0", "--no-ui")
ROOT_ONLY = pytest.mark.skipif(os.geteuid() != 0, reason="becoming another user needs root")

Call = Callable[..., "subprocess.CompletedProcess[str]"]


def permitted(*words: str) -> bool:
    """Whether the machine lets us do this."""
    return shutil.which(words[0]) is not None and subprocess.run([*words, "true"], check=False).returncode == 0


@pytest.fixture
def nameless(home: Path) -> Call:
    """Run the CLI as a user without an entry in /etc/passwd, with no variables but those given."""
    user = ["setpriv", f"--reuid={UID}", f"--regid={UID}", "--clear-groups"]
    # It may read everything, because the environment of the tests is root's; it may write only what is its own.
    user += ["--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search"]
    if not permitted(*user):
        pytest.skip("becoming another user is not permitted here")

    def run(*args: str, **variables: str) -> subprocess.CompletedProcess[str]:
        env = {"PATH": "/usr/bin:/bin", **variables}
        return subprocess.run(
            [*user, *command(*args)], env=env, capture_output=True, text=True, timeout=CLI_LIMIT, check=False
        )

    return run


@pytest.fixture
def own() -> Iterator[Path]:
    """A folder of that user's. It is not in the test's own folder, which nobody else may enter."""
    with tempfile.TemporaryDirectory() as folder:
        os.chown(folder, UID, UID)
        yield Path(folder)


@ROOT_ONLY
def test_user_without_a_name(nameless: Call, own: Path) -> None:
    """A server runs where DEVSERVER_HOME is given, also without HOME."""
    for variables in ({}, {"HOME": "/"}):
        where = {"DEVSERVER_HOME": str(own), **variables}
        up = nameless(*UP, **where)
        assert up.returncode == 0, up.stderr
        assert nameless("temporal", "operator", "cluster", "health", **where).stdout.strip() == "SERVING"
        assert nameless("down", **where).stdout == "stopped default\n"


@ROOT_ONLY
def test_no_home(nameless: Call) -> None:
    """One sentence and what to set, by every command; no traceback and no report of a bug."""
    for words in (UP, ("status",), ("list",), ("doctor",), ("install",)):
        done = nameless(*words)
        assert done.returncode in (1, 2), words
        assert done.stderr.splitlines() == [
            "error: there is no home folder: HOME is not set, and this user has no entry in /etc/passwd",
            "hint: set DEVSERVER_HOME to a folder you can write to",
        ], words


@ROOT_ONLY
def test_home_that_cannot_be_written(nameless: Call) -> None:
    """`doctor` says what `up` says; both name the folder and the variable."""
    up = nameless(*UP, HOME="/")
    assert up.returncode == 1
    assert "cannot create the folder /.cache" in up.stderr
    assert "DEVSERVER_HOME" in up.stderr
    doctor = nameless("doctor", HOME="/")
    assert doctor.returncode == 1
    assert "error    cache: /.cache/temporal-devserver/bin cannot be created: / is not writable" in doctor.stdout
    assert nameless("status", HOME="/").stderr.startswith("error: there is no instance default")
    assert nameless("list", HOME="/").stdout == "no servers yet; start one with: devserver up\n"


@ROOT_ONLY
def test_read_only_home(nameless: Call, own: Path) -> None:
    """Commands that only look work on a home that may not be written, while its server runs."""
    where = {"DEVSERVER_HOME": str(own)}
    assert nameless(*UP, **where).returncode == 0
    subprocess.run(["chmod", "-R", "a-w", str(own)], check=True)
    try:
        assert "state           ready" in nameless("status", **where).stdout
        assert "ready" in nameless("list", **where).stdout
        assert "* 1.9.1" in nameless("binary", "list", **where).stdout
        for words in (("env",), ("logs",), ("stuck",), ("temporal", "operator", "cluster", "health")):
            assert nameless(*words, **where).returncode == 0, words
        assert "is not writable" in nameless("doctor", **where).stdout
    finally:
        subprocess.run(["chmod", "-R", "u+w", str(own)], check=True)
        assert nameless("down", **where).returncode == 0


@ROOT_ONLY
def test_store_on_a_disk_without_programs(devserver: Run, paths: Paths) -> None:
    """On a file system that is mounted noexec `up` names the cause, and `doctor` finds it before."""
    paths.cache.mkdir(parents=True, mode=0o700)
    mount = ["mount", "-t", "tmpfs", "-o", "noexec,mode=0700", "tmpfs", str(paths.cache)]
    if subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        pytest.skip("mounting is not permitted here")
    try:
        doctor = devserver("doctor")
        assert doctor.returncode == 1
        assert f"no program can run from {paths.store}: {paths.cache} is mounted noexec" in doctor.stdout
        up = devserver(*UP)
        assert up.returncode == 1
        assert "noexec" in up.stderr
    finally:
        subprocess.run(["umount", "--lazy", str(paths.cache)], check=True)


@pytest.fixture
def other_container(installed: object) -> Iterator[subprocess.Popen[str]]:
    """A server in another PID namespace with the same home, as in a dev container."""
    unshare = ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child"]
    if not permitted(*unshare):
        pytest.skip("another PID namespace is not permitted here")
    words = [*unshare, *command("up", "--port", "0", "--no-ui", "--ephemeral")]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert "is ready" in process.stdout.readline()
        yield process
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(signal.SIGKILL)


def test_server_in_another_container(
    other_container: subprocess.Popen[str], devserver: Run, paths: Paths, home: Path
) -> None:
    """It is shown as running elsewhere, and nothing of it is touched; when it is killed, its lock tells."""
    record = paths.instance("default") / "record.json"
    before = record.read_text()
    assert "running elsewhere" in devserver("list").stdout
    assert "running elsewhere" in devserver("status").stdout
    assert "running elsewhere" in devserver("doctor").stdout
    for words in (UP, ("down",), ("restart",), ("reset", "--yes")):
        done = devserver(*words)
        assert done.returncode == 1, words
        assert "the instance default runs elsewhere" in done.stderr, words
    assert record.read_text() == before
    assert ephemeral_folders_of(home)
    other_container.kill()
    other_container.wait()
    eventually(lambda: "crashed" in devserver("list").stdout)
    assert devserver(*UP).returncode == 0
    assert devserver("down").returncode == 0
