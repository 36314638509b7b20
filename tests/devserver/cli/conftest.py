"""Fixtures for tests of commands: detached and foreground servers on the real executable."""

from __future__ import annotations

import contextlib
import json
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any

import pytest

from devserver.executables import Executable
from tests.conftest import Run, command

Foreground = Callable[..., "AbstractContextManager[subprocess.Popen[str]]"]
StatusOf = Callable[..., "dict[str, Any]"]
Watching = Callable[..., "AbstractContextManager[subprocess.Popen[str]]"]


@pytest.fixture
def up(installed: Executable, devserver: Run) -> Iterator[Run]:
    """Start detached servers on any free port, and stop all of them after the test."""

    def run(*args: str, **how: Any) -> subprocess.CompletedProcess[str]:
        done = devserver("up", "-d", "--port", "0", *args, **how)
        assert done.returncode == 0, done.stderr
        return done

    yield run
    devserver("down", "--all")


@pytest.fixture
def quick_up(up: Run) -> Run:
    """Start detached ephemeral servers, which start and stop faster."""

    def run(*args: str, **how: Any) -> subprocess.CompletedProcess[str]:
        return up("--ephemeral", *args, **how)

    return run


@pytest.fixture
def foreground(installed: Executable) -> Foreground:
    """Run a server in the foreground until its banner is shown; kill it at the end of the block if it still runs."""

    @contextlib.contextmanager
    def run(*args: str) -> Iterator[subprocess.Popen[str]]:
        words = command("up", "--port", "0", *args)
        with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
            try:
                assert process.stdout is not None
                assert process.stderr is not None
                first = process.stdout.readline()
                assert first.endswith("is ready; Ctrl-C stops it\n"), first + process.stderr.read()
                yield process
            finally:
                process.kill()

    return run


@pytest.fixture
def status_of(devserver: Run) -> StatusOf:
    """Return what `devserver status --json` reports for an instance, without the room, which changes all the time."""

    def read(name: str = "default") -> dict[str, Any]:
        found: dict[str, Any] = json.loads(devserver("status", "--name", name, "--json").stdout)
        return {**found, "room": None}

    return read


@pytest.fixture
def watching() -> Watching:
    """Run a command with `--watch` every 0.2 s; kill it at the end of the block if it still runs."""

    @contextlib.contextmanager
    def run(name: str, *args: str) -> Iterator[subprocess.Popen[str]]:
        words = command(name, "--watch", "0.2", *args)
        with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
            try:
                yield process
            finally:
                process.kill()

    return run
