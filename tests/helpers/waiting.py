"""Waiting for what must happen, with a limit and without hoping."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

LIMIT = 120.0
POLL_SECONDS = 0.01
LONGEST_POLL_SECONDS = 0.5


def eventually(condition: Callable[[], T], limit: float = LIMIT) -> T:
    """What `condition` returns, once that is true; fails after `limit` seconds."""
    deadline = time.monotonic() + limit
    asked = time.monotonic()
    while not (found := condition()):
        now = time.monotonic()
        assert now < deadline, f"never came true within {limit:g} s: {condition}"
        # What is dear to ask is asked less often: several of these wait at once on two cores.
        time.sleep(min(max(POLL_SECONDS, 5 * (now - asked)), LONGEST_POLL_SECONDS))
        asked = time.monotonic()
    return found
