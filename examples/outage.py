"""The server crashes while a workflow runs, and nothing is lost: `python examples/outage.py`."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from temporalio import workflow
from temporalio.client import Client
from temporalio.worker import Worker

from devserver import DevServer

QUEUE = "outage"


@workflow.defn
class Count:
    def __init__(self) -> None:
        self.seen = 0

    @workflow.signal
    def add(self) -> None:
        self.seen += 1

    @workflow.run
    async def run(self, until: int) -> int:
        await workflow.wait_condition(lambda: self.seen >= until)
        await workflow.sleep(timedelta(seconds=1))
        return self.seen


async def main() -> None:
    async with DevServer.start_async() as server:
        client = await Client.connect(server.address)
        async with Worker(client, task_queue=QUEUE, workflows=[Count]):
            handle = await client.start_workflow(Count.run, 2, id="count", task_queue=QUEUE)
            await handle.signal(Count.add)
            await asyncio.to_thread(server.kill)
            print("the server is dead:", not server.running)
            await asyncio.to_thread(server.restart)
            await handle.signal(Count.add)
            print("signals seen:", await handle.result())


if __name__ == "__main__":
    asyncio.run(main())
