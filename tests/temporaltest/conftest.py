"""Fixtures for tests of the plugin: a user's test suite, run by pytest in its own process on a real server."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from subprocess import CompletedProcess, Popen
from typing import IO

import pytest

from devserver.executables.models import Executable
from devserver.system.paths import HOME_VARIABLE, Paths
from tests.conftest import end_processes_of, ephemeral_folders_of, link
from tests.helpers.fork_server import Forked, ForkServer

RUN_LIMIT = 240.0

ALONE = ("-p", "no:xdist")
ZERO = ("-n", "0")
TWO = ("-n", "2")
ProjectRun = Callable[..., "CompletedProcess[str]"]
WAYS = {"no-xdist": ALONE, "n0": ZERO, "n2": TWO}

PREAMBLE = """
import asyncio
from datetime import timedelta

import pytest
from temporalio import activity, workflow
from temporalio.client import WorkflowFailureError
from temporalio.exceptions import ApplicationError
"""

# A conftest whose clients encode payloads; `{more}` is for further arguments of their data converter.
CODEC = """
import dataclasses

import pytest
from temporalio.api.common.v1 import Payload
from temporalio.converter import DataConverter, DefaultFailureConverterWithEncodedAttributes, PayloadCodec


class Reversing(PayloadCodec):
    async def encode(self, payloads):
        return [Payload(metadata={{"encoding": b"reversed"}}, data=p.SerializeToString()[::-1]) for p in payloads]

    async def decode(self, payloads):
        return [Payload.FromString(p.data[::-1]) for p in payloads]


@pytest.fixture(scope="session")
def temporal_client_options():
    converter = dataclasses.replace(DataConverter.default, payload_codec=Reversing(), {more})
    return {{"data_converter": converter}}
"""

# A test that skips thirty days.
SLEEPS = """
@workflow.defn
class Sleeps:
    @workflow.run
    async def run(self) -> str:
        await asyncio.sleep(30 * 86400)
        return "rested"

@pytest.mark.temporal(time_skipping=True)
def test_sleeps(temporal):
    temporal.worker(workflows=[Sleeps])
    assert temporal.execute(Sleeps.run) == "rested"
"""


class Suite:
    """A folder with a user's tests. `ways` are the default xdist options of `run`."""

    def __init__(self, pytester: pytest.Pytester, ways: tuple[str, ...], forks: ForkServer) -> None:
        self.path: Path = pytester.path
        self.ways = ways
        self._pytester = pytester
        self.forks = forks
        self.ini()

    def ini(self, *lines: str) -> None:
        """Write pytest.ini with the common configuration and `lines`."""
        always = ["filterwarnings = error", "asyncio_default_fixture_loop_scope = function"]
        self.file("pytest.ini", "\n".join(["[pytest]", *always, *lines]) + "\n")

    def file(self, name: str, text: str) -> Path:
        """Write a file; `text` may be indented."""
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text).lstrip("\n"))
        return path

    def tests(self, text: str, name: str = "test_it.py") -> Path:
        """Write a test module, with the usual imports added."""
        return self.file(name, PREAMBLE + "\n\n" + textwrap.dedent(text))

    def run(
        self, *args: str, ways: tuple[str, ...] | None = None, limit: float = RUN_LIMIT, fresh: bool = False
    ) -> pytest.RunResult:
        """Run pytest in the folder in its own process; with `fresh`, it and xdist's workers run in new interpreters."""
        chosen = self.ways if ways is None else ways
        words = ("-ra", "-p", "no:benchmark", *chosen, *args)
        with pytest.MonkeyPatch.context() as patch:
            if not fresh:
                patch.setattr(self._pytester, "popen", self._forked)
            return self._pytester.runpytest_subprocess(*words, timeout=limit)

    def _forked(self, words: Sequence[str], *, stdout: IO[str], stderr: IO[str], **_: object) -> Forked | Popen[str]:
        """Start the process as pytester does, with closed standard input; older pytest passes more."""
        environment = {**os.environ, "PYTHONPATH": str(Path.cwd())}
        command = [sys.executable, "-m", "pytest", *words[2:]]
        with Path(os.devnull).open() as nothing:
            if self.forks.fits(command, environment):
                stdin, out, err = (stream.fileno() for stream in (nothing, stdout, stderr))
                return self.forks.start(command[1:], env=environment, stdin=stdin, stdout=out, stderr=err)
            return Popen(command, env=environment, stdin=nothing, stdout=stdout, stderr=stderr, text=True)

    def passes(
        self, *args: str, passed: int, ways: tuple[str, ...] | None = None, fresh: bool = False
    ) -> pytest.RunResult:
        """Run pytest, and check that this many tests pass and there is no other outcome."""
        result = self.run(*args, ways=ways, fresh=fresh)
        result.assert_outcomes(passed=passed)
        return result


@pytest.fixture
def bare_suite(home: Path, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, forks: ForkServer) -> Suite:
    """A user's suite without an executable in its store."""
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("USERPROFILE", str(home))
    for name in [name for name in os.environ if name.startswith(("PYTEST_", "PY_COLORS"))]:
        monkeypatch.delenv(name)
    return Suite(pytester, ALONE, forks)


@pytest.fixture
def own_suite(bare_suite: Suite, installed: Executable) -> Suite:
    """A user's suite, by default without xdist, on a real server that every run starts for itself."""
    return bare_suite


@contextlib.contextmanager
def within(home: Path) -> Iterator[None]:
    """Use this home for everything that starts in this block."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(home))
        patch.setenv(HOME_VARIABLE, str(home))
        yield


@contextlib.contextmanager
def module_home(prepared: Executable, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A home with the executable, shared by all tests of a module; nothing may be left in it after the block."""
    home = tmp_path_factory.mktemp("standing")
    with within(home):
        link(prepared, Paths.default())
    yield home
    assert not end_processes_of(home)
    assert not ephemeral_folders_of(home), "a test left a server's folder"


@pytest.fixture(scope="module")
def standing(prepared: Executable, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A home with a running server, with a lease as of another run of pytest, which the module's tests join."""
    from temporaltest.backends.managed import ManagedBackend
    from temporaltest.config import PluginConfig

    with module_home(prepared, tmp_path_factory) as home:
        backend = ManagedBackend(PluginConfig())
        with within(home):
            endpoint = backend.shared()
        yield home
        backend.release(endpoint)


@pytest.fixture
def suite(own_suite: Suite, standing: Path, monkeypatch: pytest.MonkeyPatch) -> Suite:
    """A user's suite on a server that is already running; use `own_suite` for tests of the server's start."""
    monkeypatch.setenv(HOME_VARIABLE, str(standing))
    monkeypatch.setenv("TEMPORAL_TEST_NAMESPACES_PER_SERVER", "0")  # the module's tests may use it all
    return own_suite


@pytest.fixture
def project_run(standing: Path, forks: ForkServer, monkeypatch: pytest.MonkeyPatch) -> ProjectRun:
    """Run pytest in a folder as a user does in CI, on the module's server."""
    monkeypatch.setenv(HOME_VARIABLE, str(standing))
    monkeypatch.setenv("TEMPORAL_TEST_NAMESPACES_PER_SERVER", "0")

    def run(folder: Path, *args: str) -> CompletedProcess[str]:
        words = [sys.executable, "-m", "pytest", "-p", "no:benchmark", *args]
        environment = os.environ | {"CI": "1"}
        with monkeypatch.context() as patch:
            patch.chdir(folder)
            if forks.fits(words, environment):
                return forks.run(words[1:], env=environment, timeout=RUN_LIMIT)
            return subprocess.run(
                words, env=environment, capture_output=True, text=True, timeout=RUN_LIMIT, check=False
            )

    return run


@pytest.fixture(params=list(WAYS))
def every_way(request: pytest.FixtureRequest, suite: Suite) -> Suite:
    """The suite without xdist, with 0 and with 2 workers."""
    suite.ways = WAYS[request.param]
    return suite


@pytest.fixture(params=["no-xdist", "n2"])
def both_ways(request: pytest.FixtureRequest, suite: Suite) -> Suite:
    """The suite without xdist and with 2 workers."""
    suite.ways = WAYS[request.param]
    return suite
