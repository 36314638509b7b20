"""Fixtures for spans: one server per module, and a collector."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from devserver import DevServer
from devserver.executables.models import Executable
from tests.helpers.collector import Collector, collector

# Otherwise a deleted run exists for up to half a minute.
DELETES_SOON = {"history.transferProcessorEnsureCloseBeforeDelete": False}


@pytest.fixture
def server(installed: Executable) -> Iterator[DevServer]:
    """A server for all tests of a module."""
    with DevServer.start(ui=False, dynamic_config=DELETES_SOON) as server:
        yield server


@pytest.fixture
def otlp() -> Iterator[Collector]:
    """A collector for one test."""
    with collector() as otlp_collector:
        yield otlp_collector
