"""Fixtures for rehearsals: one server for all tests, and a way to run a scenario on it."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from devserver.executables.models import Executable
from devserver.rehearsal import RehearsalSettings, Result, Scenario, expect
from devserver.rehearsal import rehearse as rehearse_alone
from devserver.rehearsal.environment.environment import RehearsalEnvironment
from devserver.rehearsal.run.runner import rehearse_on
from devserver.rehearsal.scenario.preflight import check
from devserver.system.paths import HOME_VARIABLE, Paths
from tests.conftest import end_processes_of, ephemeral_folders_of, link, processes_of

RUNBOOKS = Path(__file__).parent / "runbooks"
OURS = "devserver.rehearsal"  # in the command line of every process of a run; only the fork server may outlive the run

Rehearse = Callable[..., Result]


def scene(runbook: str, workflow: str, *plan: Any, **more: Any) -> Scenario:
    """Return a scenario with a runbook of `runbooks/`; it is expected to complete unless `expect` says otherwise."""
    fields = {"name": f"{runbook}.{workflow}", "expect": [expect.completes()], "limit": 20.0, **more}
    return Scenario(runbook=runbook, workflow=workflow, plan=plan, file=RUNBOOKS / f"{runbook}.py", **fields)


class Stand:
    """The server that all tests of a session share; it is replaced if a test breaks it."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self._environment: RehearsalEnvironment | None = None
        self._numbers = itertools.count()

    @property
    def environment(self) -> RehearsalEnvironment:
        """Return an environment with a running server."""
        if self._environment is not None and not self._environment.server.running:
            self.close()
        if self._environment is None:
            self._environment = asyncio.run(RehearsalEnvironment.open())
        return self._environment

    def rehearse(self, scenario: Scenario, *, fresh: bool = False, **settings: Any) -> Result:
        """Run a rehearsal; with `fresh`, on a new server as `devserver rehearse` does."""
        folder = self.home / f"run-{next(self._numbers)}"
        options = RehearsalSettings(**{"folder": folder, **settings})
        if fresh:
            return asyncio.run(rehearse_alone(scenario, options))
        return asyncio.run(rehearse_on(self.environment, scenario, check(scenario), options, folder))

    @property
    def fork_server(self) -> int:
        """Return the pid of the process that forks the workers, or 0; it stays with the server."""
        return 0 if self._environment is None else self._environment.fork_server.pid

    def close(self) -> None:
        """Stop the server."""
        environment, self._environment = self._environment, None
        if environment is not None:
            asyncio.run(environment.close())


@pytest.fixture(scope="session")
def stand(prepared: Executable, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stand]:
    """The session's server, which starts on first use."""
    home = tmp_path_factory.mktemp("rehearsals")
    with pytest.MonkeyPatch.context() as patch:
        _move_in(patch, home)
        link(prepared, Paths.default())
    stand = Stand(home)
    yield stand
    with pytest.MonkeyPatch.context() as patch:
        _move_in(patch, home)
        stand.close()
    left = end_processes_of(home)
    assert not left, f"the tests left processes: {left}"
    assert not ephemeral_folders_of(home)


@pytest.fixture(autouse=True)
def home(stand: Stand, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """One home for the session, so that the server can be shared; no process of a run may be left in it."""
    _move_in(monkeypatch, stand.home)
    monkeypatch.chdir(tmp_path)
    yield stand.home
    left = []
    for process in processes_of(stand.home):
        with contextlib.suppress(Exception):
            words = " ".join(process.cmdline())
            if OURS in words and process.pid != stand.fork_server:
                left.append(words)
                process.kill()
    assert not left, f"the test left processes: {left}"


@pytest.fixture
def rehearse(stand: Stand, home: Path) -> Rehearse:
    """Run a rehearsal: `rehearse(scene("steps", "Steps", at.elapsed(1).do(...)))`."""
    return stand.rehearse


def _move_in(patch: pytest.MonkeyPatch, home: Path) -> None:
    patch.setenv("HOME", str(home))
    patch.setenv(HOME_VARIABLE, str(home / "devserver"))
