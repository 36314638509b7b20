"""The tests of the runs that are killed; copied into a project."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from temporalio import activity, workflow

from temporaltest import Temporal


@activity.defn
async def greet(name: str) -> str:
    """Greet, slowly enough to be killed meanwhile."""
    await asyncio.sleep(0.05)
    return f"Hello, {name}!"


@workflow.defn
class Greeting:
    """Greets twice."""

    @workflow.run
    async def run(self, name: str) -> str:
        """Greet."""
        await workflow.execute_activity(greet, name, start_to_close_timeout=timedelta(seconds=10))
        return await workflow.execute_activity(greet, name, start_to_close_timeout=timedelta(seconds=10))


@pytest.mark.parametrize("number", range(6))
def test_greeting(temporal: Temporal, number: int) -> None:
    """The greeting is told."""
    temporal.worker(workflows=[Greeting], activities=[greet])
    assert temporal.execute(Greeting.run, str(number)) == f"Hello, {number}!"
