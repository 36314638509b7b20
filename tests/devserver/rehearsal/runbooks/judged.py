"""Runbooks for tests of expectations."""

from __future__ import annotations

import asyncio
import os
import sys
from datetime import timedelta
from pathlib import Path

from temporalio import activity, workflow
from temporalio.common import RetryPolicy

from devserver.rehearsal import ledger

LIMIT = timedelta(seconds=1)
SOON = RetryPolicy(initial_interval=timedelta(milliseconds=50), backoff_coefficient=1)


@activity.defn
async def count() -> int:
    """Return how often this was called."""
    file = Path(os.environ[ledger.FILE]).with_name("count")
    number = (int(file.read_text()) if file.exists() else 0) + 1
    file.write_text(str(number))
    return number


@activity.defn
async def act(name: str, key: str) -> None:
    """Have an effect, and log it."""
    ledger.effect(name, key=key)
    sys.stdout.write(f"did {name} {key}\n")
    sys.stdout.flush()


@activity.defn
async def wait() -> None:
    """Take a while without a heartbeat."""
    await asyncio.sleep(0.6)


@workflow.defn
class Listed:
    """Have effects in the order of a list."""

    @workflow.run
    async def run(self, effects: list[list[str]]) -> int:
        """Return the number of effects; `wait` has none and takes 0.6 s."""
        for effect in effects:
            if effect == ["wait"]:
                await workflow.execute_activity(wait, start_to_close_timeout=LIMIT)
            else:
                await workflow.execute_activity(act, args=effect, start_to_close_timeout=LIMIT, retry_policy=SOON)
        return len(effects)


@workflow.defn
class Counting:
    """Return how often an activity was tried."""

    @workflow.run
    async def run(self) -> int:
        """Return the last count."""
        for _ in range(3):
            number = await workflow.execute_activity(count, start_to_close_timeout=LIMIT, retry_policy=SOON)
        return number


@workflow.defn(sandboxed=False)
class Chance:
    """Choose a timer by the process id."""

    @workflow.run
    async def run(self) -> None:
        """Run one step or the other."""
        if os.environ.get(ledger.FILE):  # set in the worker, but not during the replay
            await workflow.sleep(0.01)
        else:
            await workflow.execute_activity(count, start_to_close_timeout=LIMIT)
