"""A first workflow: run `devserver up` in another terminal, then `python examples/hello.py`.

The client reads the server's address from the environment (`eval "$(devserver env)"`), or else uses 127.0.0.1:7233.
"""

from __future__ import annotations

import asyncio
import uuid
from datetime import timedelta

from temporalio import activity, workflow
from temporalio.client import Client
from temporalio.envconfig import ClientConfig
from temporalio.worker import Worker

QUEUE = "hello"


@activity.defn
async def compose(name: str) -> str:
    return f"Hello, {name}"


@workflow.defn
class Greet:
    @workflow.run
    async def run(self, name: str) -> str:
        return await workflow.execute_activity(compose, name, start_to_close_timeout=timedelta(seconds=10))


async def main() -> None:
    config = ClientConfig.load_client_connect_config()
    config.setdefault("target_host", "127.0.0.1:7233")
    client = await Client.connect(**config)
    async with Worker(client, task_queue=QUEUE, workflows=[Greet], activities=[compose]):
        workflow_id = f"greet-{uuid.uuid4().hex[:6]}"
        print(await client.execute_workflow(Greet.run, "Ada", id=workflow_id, task_queue=QUEUE), f"({workflow_id})")


if __name__ == "__main__":
    asyncio.run(main())
