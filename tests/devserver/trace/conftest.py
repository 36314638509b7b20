"""Fixtures for traces."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from devserver import DevServer
from devserver.executables.models import Executable


@pytest.fixture
def server(installed: Executable) -> Iterator[DevServer]:
    """A server for one test."""
    with DevServer.start(ui=False) as server:
        yield server
