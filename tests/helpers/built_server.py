"""The server with all roles that the user who runs the tests has built, and homes of tests that use it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from devserver.cluster import executable
from devserver.cluster.declaration import DEFAULT_VERSION
from devserver.system.paths import HOME_VARIABLE, Paths

BUILT = executable.built(DEFAULT_VERSION, Paths.default())  # of that user, not of a test


def require_built() -> None:
    """Skip the test if there is no such server."""
    if not BUILT.is_file():
        pytest.skip(f"the server with all roles was not built: {BUILT} (devserver cluster build)")


@contextlib.contextmanager
def home_with_server(home: Path) -> Iterator[pytest.MonkeyPatch]:
    """Use this home and that server; the environment is as before at the end."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(HOME_VARIABLE, str(home))
        patch.setenv(executable.VARIABLE, str(BUILT))
        yield patch
