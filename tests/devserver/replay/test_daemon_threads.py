"""Threads for code of users: they are used again, and one that does not end holds up nothing."""

from __future__ import annotations

import subprocess
import sys
import threading

import pytest

from devserver.replay import DaemonThreads

ENDLESS = """
import threading
from devserver.replay import DaemonThreads
threads = DaemonThreads("endless")
threads.submit(threading.Event().wait)
print(threads.submit(lambda: "answered").result(60))
"""


def test_a_thread_takes_the_next_call(monkeypatch: pytest.MonkeyPatch) -> None:
    """Calls at once have a thread each, and calls one after the other share these."""
    monkeypatch.setattr("devserver.replay.daemon_threads.IDLE_SECONDS", 60)
    threads = DaemonThreads("calls")
    released = threading.Event()
    taken = [threads.submit(lambda: (released.wait(60), threading.current_thread())[1]) for _ in range(3)]
    released.set()
    used = {call.result(60) for call in taken}
    assert len(used) == 3
    assert not threads.busy
    assert {threads.submit(threading.current_thread).result(60) for _ in range(50)} <= used


def test_an_idle_thread_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """A thread without calls ends, and the next call gets another."""
    monkeypatch.setattr("devserver.replay.daemon_threads.IDLE_SECONDS", 0.01)
    threads = DaemonThreads("idle")
    first = threads.submit(threading.current_thread).result(60)
    first.join(60)
    assert not first.is_alive()
    assert threads.submit(threading.current_thread).result(60) is not first


def test_errors() -> None:
    """The caller has the error of a call, and the thread takes the next one."""
    threads = DaemonThreads("errors")
    with pytest.raises(ZeroDivisionError):
        threads.submit(lambda: 1 // 0).result(60)
    assert threads.submit(lambda: "still there").result(60) == "still there"


def test_a_call_without_an_end() -> None:
    """Other calls run, and the interpreter ends."""
    done = subprocess.run([sys.executable, "-c", ENDLESS], capture_output=True, text=True, timeout=120)
    assert (done.stdout, done.stderr, done.returncode) == ("answered\n", "", 0)
