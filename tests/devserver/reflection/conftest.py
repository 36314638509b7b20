"""What tests of the reflection share: modules that are written for a test and forgotten after it."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

Write = Callable[..., Path]
HEAD = """
from dataclasses import dataclass
from temporalio import activity, workflow
"""


@pytest.fixture
def write(tmp_path: Path) -> Iterator[Write]:
    """Write a file of a user's project below the current folder; what was imported is forgotten after the test."""
    path, modules = list(sys.path), set(sys.modules)

    def run(name: str, text: str, *, head: str = HEAD) -> Path:
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(head + textwrap.dedent(text))
        return file

    yield run
    sys.path[:] = path
    for name in set(sys.modules) - modules:
        if str(getattr(sys.modules[name], "__file__", None) or tmp_path).startswith(str(tmp_path)):
            del sys.modules[name]
