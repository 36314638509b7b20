"""Fixtures for tests of `devserver`: servers, a loopback download service and a recording progress reporter."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.helpers.download_service import DownloadService, script, tar_gz
from tests.helpers.recorder import Recorder
from tests.helpers.shared_server import own_server as own_server
from tests.helpers.shared_server import server as server


@pytest.fixture
def service() -> Iterator[DownloadService]:
    """A service that serves a tiny program as version 9.9.9."""
    with DownloadService(tar_gz(("LICENSE", b"MIT"), ("temporal", script()))).serving() as service:
        yield service


@pytest.fixture
def recorder() -> Recorder:
    """A progress reporter that records what it gets."""
    return Recorder()
