"""Fixtures for large payloads: a server, a folder, and clients and workers that use it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import Client
from temporalio.worker import Worker

from devserver import DevServer
from devserver.executables.models import Executable
from devserver.payloads import LargePayloads
from tests.devserver.instances.faults.conftest import disk as disk
from tests.helpers.shared_server import SharedServer

from .echo import ACTIVITIES, WORKFLOWS

QUEUE = "payloads"


@pytest.fixture
def own_server(installed: Executable) -> Iterator[DevServer]:
    """A server for one test: usage is read from all namespaces of a server."""
    with DevServer.start(ui=False, ephemeral=True) as server:
        yield server


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder of the payloads."""
    return tmp_path / "payloads"


async def connected(
    server: DevServer | SharedServer, folder: Path, options: dict[str, Any] | None = None, **plugin: Any
) -> Client:
    """A client that stores large payloads in the folder."""
    plugins = [LargePayloads(folder, **plugin)]
    return await Client.connect(server.address, namespace=server.namespace, plugins=plugins, **(options or {}))


def worker(client: Client, **options: Any) -> Worker:
    """A worker for all workflows and activities of `echo`."""
    arguments = {"task_queue": QUEUE, "workflows": WORKFLOWS, "activities": ACTIVITIES, **options}
    return Worker(client, **arguments)


def files(folder: Path) -> list[Path]:
    """All files in the folder, the newest last."""
    return sorted((path for path in folder.rglob("*") if path.is_file()), key=lambda path: path.stat().st_mtime_ns)
