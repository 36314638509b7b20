"""Where in the user's code an environment is asked for, and in which test."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from types import FrameType

OTHERS = ("temporaltest", "temporalio", "asyncio", "pytest_asyncio", "_pytest", "pluggy", "anyio", "unittest")


def calling_line(root: Path) -> str:
    """The nearest line of the user's code that called this, such as `tests/conftest.py:12`; the test, if none did."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        module = str(frame.f_globals.get("__name__", ""))
        path = Path(frame.f_code.co_filename)
        if module.partition(".")[0] not in OTHERS and path.is_file():
            shown = path.relative_to(root) if path.is_relative_to(root) else path
            return f"{shown}:{frame.f_lineno}"
        frame = frame.f_back
    return current_test()


def current_test() -> str:
    """The id of the test that runs; `pytest` outside the tests."""
    return os.environ.get("PYTEST_CURRENT_TEST", "pytest").rpartition(" (")[0] or "pytest"


def case_name() -> str:
    """A name for what belongs to the test that runs."""
    return current_test().rpartition("::")[2]
