"""Servers that tests share, with a namespace for each test."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import Client

from devserver import DevServer
from devserver.executables.models import Executable
from devserver.server.http_api import HttpApi
from devserver.system.paths import HOME_VARIABLE, Paths
from tests.conftest import end_processes_of, ephemeral_folders_of, link
from tests.helpers.waiting import eventually

RETENTION_SECONDS = 86400
# Each namespace costs the server some CPU time for as long as it runs; a start of the server costs as much as these.
MOST_NAMESPACES = 24
# Otherwise a deleted run exists for up to half a minute, and only a third failed task in a row marks a workflow.
DYNAMIC_CONFIG = {
    "history.transferProcessorEnsureCloseBeforeDelete": False,
    "system.numConsecutiveWorkflowTaskProblemsToTriggerSearchAttribute": 2,
}
_numbers = itertools.count(1)


@dataclass(frozen=True)
class SharedServer:
    """A namespace of a shared server, with those names of `DevServer` that tests use to connect."""

    server: DevServer
    namespace: str

    @property
    def address(self) -> str:
        """The server's address."""
        return self.server.address

    @property
    def executable(self) -> Path:
        """The server's executable."""
        return self.server.executable

    @property
    def words(self) -> tuple[str, ...]:
        """The options of commands for this namespace."""
        return ("--address", self.address, "--namespace", self.namespace)

    async def connect(self, **options: Any) -> Client:
        """Return a client of the namespace."""
        return await Client.connect(self.address, **{"namespace": self.namespace, **options})


class StandingServer:
    """The server that the tests of a session share unless they change, stop or kill it. It starts when a test needs it,
    and ends after MOST_NAMESPACES, and before a module whose first test does not need it.
    """

    def __init__(self, prepared: Executable, tmp_path_factory: pytest.TempPathFactory) -> None:
        self._prepared = prepared
        self._folders = tmp_path_factory
        self._server = contextlib.ExitStack()
        self._current: DevServer | None = None
        self._namespaces = 0

    def namespace(self) -> SharedServer:
        """Return a new namespace of it."""
        if self._namespaces >= MOST_NAMESPACES:
            self.close()
        if self._current is None:
            start = started(self._prepared, self._folders, dynamic_config=DYNAMIC_CONFIG)
            self._current = self._server.enter_context(start)
        self._namespaces += 1
        return new_namespace(self._current)

    def close(self) -> None:
        """End it; the next test that needs it starts another."""
        self._current, self._namespaces = None, 0
        self._server.close()


@contextlib.contextmanager
def started(prepared: Executable, tmp_path_factory: pytest.TempPathFactory, **options: Any) -> Iterator[DevServer]:
    """Run a server in its own home; the block must leave nothing behind."""
    home = tmp_path_factory.mktemp("shared")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(home))
        patch.setenv(HOME_VARIABLE, str(home))
        link(prepared, Paths.default())
        server = DevServer.start(ui=False, **options)
    with server:
        yield server
    assert not end_processes_of(home)
    assert not ephemeral_folders_of(home), "a folder of the shared server is left"


def new_namespace(server: DevServer) -> SharedServer:
    """Create a namespace that is ready for use."""
    name = f"test-{next(_numbers)}"
    host, _, port = server.http_url.rpartition("//")[2].rpartition(":")
    api = HttpApi(host, int(port))
    api.ensure_namespace(name, RETENTION_SECONDS)
    eventually(lambda: api.serves(name))
    return SharedServer(server, name)


@pytest.fixture
def server(standing_server: StandingServer, home: object) -> SharedServer:
    """A namespace of the session's server, for one test."""
    return standing_server.namespace()


@pytest.fixture
def own_server(installed: Executable) -> Iterator[DevServer]:
    """A server for one test, which may do with it what it likes."""
    with DevServer.start(ui=False) as server:
        yield server
