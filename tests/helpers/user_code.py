"""Modules of a user, written for one test and unloaded after it."""

from __future__ import annotations

import contextlib
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

Write = Callable[..., Path]
HEAD = """
from dataclasses import dataclass
from temporalio import activity, workflow
"""
ORDER = """
@workflow.defn
class Order:
    @workflow.run
    async def run(self, amount: int) -> int:
        return amount
"""


@contextlib.contextmanager
def user_code(folder: Path) -> Iterator[Write]:
    """Write files below `folder`; at the end unload their modules and restore the import path."""
    path, modules = list(sys.path), set(sys.modules)

    def write(name: str, text: str, *, head: str = HEAD) -> Path:
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(head + textwrap.dedent(text))
        return file

    yield write
    sys.path[:] = path
    for name in set(sys.modules) - modules:
        file = getattr(sys.modules[name], "__file__", None)
        if file is None or str(file).startswith(str(folder)):
            del sys.modules[name]
