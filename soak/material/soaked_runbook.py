"""A runbook of three steps, and a rehearsal of it: an answer is lost."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from temporalio import activity, workflow

with workflow.unsafe.imports_passed_through():
    from devserver.rehearsal import Scenario, at, expect, faults


@activity.defn
async def step(number: int) -> int:
    """Take a step, slowly enough to be killed meanwhile."""
    await asyncio.sleep(0.05)
    return number


@workflow.defn
class Steps:
    """Takes three steps."""

    @workflow.run
    async def run(self) -> int:
        """Take them."""
        for number in range(3):
            await workflow.execute_activity(step, number, start_to_close_timeout=timedelta(seconds=10))
        return 3


scenario = Scenario(
    name="steps",
    runbook="soaked_runbook",
    workflow="Steps",
    plan=[at.activity_completes("step", nth=2).do(faults.kill_worker())],
    expect=[expect.completes(within=30)],
)
