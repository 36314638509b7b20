"""Processes by identity: whether this very one lives, and how it is ended."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from devserver.system.process import ProcessIdentity
from tests.helpers.waiting import eventually

linux = pytest.mark.skipif(sys.platform != "linux", reason="looks at /proc")


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    """A process that does nothing."""
    with subprocess.Popen(["sleep", "600"]) as process:
        yield process
        process.kill()


def identity_of(process: subprocess.Popen[bytes]) -> ProcessIdentity:
    """The identity of a living process."""
    found = ProcessIdentity.of(process.pid)
    assert found is not None
    return found


def test_own_identity_lives() -> None:
    """This process is alive and knows itself."""
    assert ProcessIdentity.own() == ProcessIdentity.of(os.getpid())
    assert ProcessIdentity.own().alive()


def test_same_pid_with_another_start_is_another(sleeper: subprocess.Popen[bytes]) -> None:
    """A pid that another process has by now is not ours: no signal reaches it."""
    other = ProcessIdentity(sleeper.pid, identity_of(sleeper).started + "1")
    assert not other.alive()
    assert other.wait_gone(0)
    assert not other.signal(signal.SIGKILL)
    other.kill()
    other.end(0)
    assert sleeper.poll() is None


def test_ended_one_is_gone_before_it_is_reaped(sleeper: subprocess.Popen[bytes]) -> None:
    """A process that was killed is gone although its parent has not asked for its end yet."""
    identity = identity_of(sleeper)
    identity.kill()
    assert not identity.alive()
    assert sleeper.returncode is None


def test_frozen_one_is_ended_with_sigterm(sleeper: subprocess.Popen[bytes]) -> None:
    """A frozen process is woken to end by itself."""
    identity = identity_of(sleeper)
    identity.signal(signal.SIGSTOP)
    identity.end(30)
    assert sleeper.wait() == -signal.SIGTERM


def test_deaf_one_is_killed() -> None:
    """A process that ignores SIGTERM is killed at the limit."""
    code = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(flush=True); signal.pause()"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        identity_of(process).end(0.1)
        assert process.wait() == -signal.SIGKILL


@linux
def test_one_whose_other_threads_run_on_is_alive() -> None:
    """A process whose first thread has ended still has its files and ports while another thread runs."""
    code = (
        "import ctypes, os, sys, threading; "
        "threading.Thread(target=lambda: (os.read(0, 1), os._exit(0))).start(); "
        "print(flush=True); "
        "ctypes.CDLL(None).syscall({'x86_64': 60, 'aarch64': 93}[os.uname().machine], 0)"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        identity = identity_of(process)
        stat = eventually(lambda: (text := _stat(process.pid)).startswith("Z") and text)
        assert isinstance(stat, str)
        assert identity.alive()
        process.communicate()
        assert not identity.alive()


def _stat(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2]
