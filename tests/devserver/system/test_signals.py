"""Sleeping until a signal arrives or a descriptor can be read."""

from __future__ import annotations

import fcntl
import os
import resource
import signal
from collections.abc import Iterator

import pytest

from devserver.system.signals import SignalWaiter

HIGH = 1100  # select() knows none from 1024 on


@pytest.fixture
def waiter() -> Iterator[SignalWaiter]:
    """One that receives signals."""
    waiter = SignalWaiter()
    waiter.listen()
    yield waiter
    waiter.close()


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    """A pipe whose read end has a high descriptor."""
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(limits[0], 2 * HIGH), limits[1]))
    low, write = os.pipe()
    read = fcntl.fcntl(low, fcntl.F_DUPFD_CLOEXEC, HIGH)
    os.close(low)
    yield read, write
    os.close(read)
    os.close(write)
    resource.setrlimit(resource.RLIMIT_NOFILE, limits)


def test_many_descriptors(waiter: SignalWaiter, pipe: tuple[int, int]) -> None:
    """A process with more than a thousand open files still sees which can be read."""
    read, write = pipe
    assert waiter.sleep(0, read) == []
    os.write(write, b"x")
    assert waiter.sleep(60, read) == [read]


def test_a_signal_ends_the_sleep(waiter: SignalWaiter, pipe: tuple[int, int]) -> None:
    """It is noted, and no descriptor is readable because of it."""
    os.kill(os.getpid(), signal.SIGTERM)
    assert waiter.sleep(60, pipe[0]) == []
    assert waiter.ending == signal.SIGTERM
