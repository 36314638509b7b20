"""What tests of the commands share: servers on the real executable, detached and in the foreground."""

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
    """Have a detached server on any free port; all are stopped after the test."""

    def run(*args: str, **how: Any) -> subprocess.CompletedProcess[str]:
        done = devserver("up", "-d", "--port", "0", *args, **how)
        assert done.returncode == 0, done.stderr
        return done

    yield run
    devserver("down", "--all")


@pytest.fixture
def quick_up(up: Run) -> Run:
    """The same, ephemeral: it starts faster, and ends at once."""

    def run(*args: str, **how: Any) -> subprocess.CompletedProcess[str]:
        return up("--ephemeral", *args, **how)

    return run


@pytest.fixture
def foreground(installed: Executable) -> Foreground:
    """A server in the foreground that has shown its banner; killed at the end of the block if it is still there."""

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
    """What `devserver status --json` says of an instance."""

    def read(name: str = "default") -> dict[str, Any]:
        found: dict[str, Any] = json.loads(devserver("status", "--name", name, "--json").stdout)
        return found

    return read


@pytest.fixture
def watching() -> Watching:
    """A command with `--watch` every 0.2 s; killed at the end of the block if it is still there."""

    @contextlib.contextmanager
    def run(name: str, *args: str) -> Iterator[subprocess.Popen[str]]:
        words = command(name, "--watch", "0.2", *args)
        with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
            try:
                yield process
            finally:
                process.kill()

    return run
