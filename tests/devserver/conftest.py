"""Fixtures for tests of the store: a loopback download service and a recording progress reporter."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.helpers.download_service import DownloadService, script, tar_gz
from tests.helpers.recorder import Recorder


@pytest.fixture
def service() -> Iterator[DownloadService]:
    """A service that serves a tiny program as version 9.9.9."""
    with DownloadService(tar_gz(("LICENSE", b"MIT"), ("temporal", script()))).serving() as service:
        yield service


@pytest.fixture
def recorder() -> Recorder:
    """A progress reporter that records what it gets."""
    return Recorder()
