"""What tests of spans share: one server for a module, a collector, and workflows to look at."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from devserver import DevServer
from devserver.executables.models import Executable
from tests.helpers.collector import Collector, collector

# Otherwise a deleted run is there for up to half a minute.
DELETES_SOON = {"history.transferProcessorEnsureCloseBeforeDelete": False}


@pytest.fixture
def server(installed: Executable) -> Iterator[DevServer]:
    """A server that is gone afterwards."""
    with DevServer.start(ui=False, dynamic_config=DELETES_SOON) as server:
        yield server


@pytest.fixture
def otlp() -> Iterator[Collector]:
    """A collector that is gone afterwards."""
    with collector() as kept:
        yield kept
