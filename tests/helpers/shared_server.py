"""A server that all tests of a module share, with a namespace for each test."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterator
from dataclasses import dataclass
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

    async def connect(self, **options: Any) -> Client:
        """Return a client of the namespace."""
        return await Client.connect(self.address, namespace=self.namespace, **options)


@contextlib.contextmanager
def started(prepared: Executable, tmp_path_factory: pytest.TempPathFactory) -> Iterator[DevServer]:
    """Run a server in its own home; the block must leave nothing behind."""
    home = tmp_path_factory.mktemp("shared")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(home))
        patch.setenv(HOME_VARIABLE, str(home))
        link(prepared, Paths.default())
        server = DevServer.start(ui=False)
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


@pytest.fixture(scope="module")
def module_server(prepared: Executable, tmp_path_factory: pytest.TempPathFactory) -> Iterator[DevServer]:
    """A server for all tests of a module."""
    with started(prepared, tmp_path_factory) as server:
        yield server


@pytest.fixture
def server(module_server: DevServer) -> SharedServer:
    """A namespace of the module's server, for one test."""
    return new_namespace(module_server)
