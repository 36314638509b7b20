"""The module that `devserver run` runs in tests: workflows that wait, and activities with different outcomes."""

from __future__ import annotations

import os
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

from temporalio import activity, workflow
from temporalio.common import RetryPolicy

VERSION = "one"
LIMIT = timedelta(seconds=20)
QUICK = RetryPolicy(initial_interval=timedelta(milliseconds=10))


@activity.defn
async def version() -> str:
    """Return the version of the code."""
    Path("asked").touch()
    return VERSION


@activity.defn
def slow() -> str:
    """Wait until it is released; return the version that started it."""
    began = VERSION
    Path("begun").write_text(began)
    while not Path("release").exists():
        time.sleep(0.01)
    return began


@activity.defn
async def crash() -> str:
    """Kill the worker in the first attempt."""
    if activity.info().attempt == 1:
        os._exit(7)
    return "alive"


@activity.defn
async def fail() -> str:
    """Fail twice."""
    if activity.info().attempt < 3:
        raise ValueError("not yet")
    return "done"


@activity.defn
async def large() -> str:
    """Return more than the server accepts in a message."""
    return "x" * 3_000_000


@workflow.defn
class Greet:
    """Read the version before and after a signal."""

    def __init__(self) -> None:
        self.released = False

    @workflow.signal
    def go(self) -> None:
        """Continue."""
        self.released = True

    @workflow.run
    async def run(self) -> list[str]:
        """Return both versions."""
        first = await workflow.execute_activity(version, start_to_close_timeout=LIMIT)
        await workflow.wait_condition(lambda: self.released)
        return [first, await workflow.execute_activity(version, start_to_close_timeout=LIMIT)]


@workflow.defn
class Do:
    """Run one activity."""

    @workflow.run
    async def run(self, what: str) -> list[Any]:
        """Return its result, or the length of a long one, and the version."""
        beat = timedelta(seconds=1) if what == "crash" else None
        done: str = await workflow.execute_activity(
            what, start_to_close_timeout=LIMIT, retry_policy=QUICK, heartbeat_timeout=beat
        )
        known = await workflow.execute_activity(version, start_to_close_timeout=LIMIT)
        return [done if len(done) < 100 else len(done), known]
