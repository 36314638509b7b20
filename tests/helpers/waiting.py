"""Waiting for what must happen, with a limit and without hoping."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

LIMIT = 120.0
POLL_SECONDS = 0.01


def eventually(condition: Callable[[], T], limit: float = LIMIT) -> T:
    """What `condition` returns, once that is true; fails after `limit` seconds."""
    deadline = time.monotonic() + limit
    while not (found := condition()):
        assert time.monotonic() < deadline, f"never came true within {limit:g} s: {condition}"
        time.sleep(POLL_SECONDS)
    return found
