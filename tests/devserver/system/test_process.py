"""Processes by identity: whether a process is still the same, and how it is ended."""

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
    """A process that sleeps."""
    with subprocess.Popen(["sleep", "600"]) as process:
        yield process
        process.kill()


def identity_of(process: subprocess.Popen[bytes]) -> ProcessIdentity:
    """Return the identity of a running process."""
    found = ProcessIdentity.of(process.pid)
    assert found is not None
    return found


def test_own_identity() -> None:
    """This process is running."""
    assert ProcessIdentity.own() == ProcessIdentity.of(os.getpid())
    assert ProcessIdentity.own().alive()


def test_reused_pid(sleeper: subprocess.Popen[bytes]) -> None:
    """No signal is sent to another process that has the pid by now."""
    other = ProcessIdentity(sleeper.pid, identity_of(sleeper).started + "1")
    assert not other.alive()
    assert other.wait_gone(0)
    assert not other.signal(signal.SIGKILL)
    other.kill()
    other.end(0)
    assert sleeper.poll() is None


def test_zombie_is_gone(sleeper: subprocess.Popen[bytes]) -> None:
    """A killed process counts as gone before its parent has waited for it."""
    identity = identity_of(sleeper)
    identity.kill()
    assert not identity.alive()
    assert sleeper.returncode is None


def test_frozen_process_ends_on_sigterm(sleeper: subprocess.Popen[bytes]) -> None:
    """A frozen process is resumed, so that it ends by itself."""
    identity = identity_of(sleeper)
    identity.signal(signal.SIGSTOP)
    identity.end(30)
    assert sleeper.wait() == -signal.SIGTERM


def test_process_that_ignores_sigterm_is_killed() -> None:
    """It is killed at the timeout."""
    code = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(flush=True); signal.pause()"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        identity_of(process).end(0.1)
        assert process.wait() == -signal.SIGKILL


@linux
def test_process_without_its_main_thread_is_alive() -> None:
    """It still has its files and ports while another thread runs."""
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
