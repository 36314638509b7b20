"""The workflow whose histories the section `replays` replays, and the stock way to do it: `python replayed.py ADDRESS`.

It is a file of its own, because it is imported in the sandbox of workflows.
"""

from __future__ import annotations

import asyncio
import sys
from datetime import timedelta

from temporalio import activity, workflow
from temporalio.client import Client
from temporalio.worker import Replayer

ROUNDS = 5
LIMIT = timedelta(seconds=30)


@activity.defn
async def step(number: int) -> int:
    """Succeed."""
    return number


@workflow.defn
class Steps:
    """Some activities in a row."""

    @workflow.run
    async def run(self, rounds: int) -> int:
        """Their number."""
        for number in range(rounds):
            await workflow.execute_activity(step, number, start_to_close_timeout=LIMIT)
        return rounds


async def main(address: str) -> None:
    """Replay all closed workflows as the SDK's documentation does."""
    client = await Client.connect(address)
    histories = client.list_workflows("ExecutionStatus != 'Running'").map_histories()
    results = await Replayer(workflows=[Steps]).replay_workflows(histories)
    print(results.replay_failures)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
