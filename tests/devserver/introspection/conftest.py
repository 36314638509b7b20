"""Fixtures for introspection: modules of a user."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.helpers.user_code import Write, user_code


@pytest.fixture
def write(tmp_path: Path) -> Iterator[Write]:
    """Write a file of a user's project below the current folder."""
    with user_code(tmp_path) as run:
        yield run
