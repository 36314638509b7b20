"""A workflow with a timer and an activity, for workers of tests on a real cluster."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from temporalio import activity, workflow


@activity.defn
async def greet(name: str) -> str:
    """Greet somebody."""
    return f"Hello, {name}!"


@workflow.defn
class GreetLater:
    """A timer, then an activity."""

    @workflow.run
    async def run(self, name: str) -> str:
        """Wait a moment, then greet."""
        await asyncio.sleep(0.1)
        return await workflow.execute_activity(greet, name, start_to_close_timeout=timedelta(seconds=30))
