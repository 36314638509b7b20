"""What tests of the store share: a loopback download service and a reporter that remembers."""

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
    """A reporter that keeps what it hears."""
    return Recorder()
