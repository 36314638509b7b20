"""The worker in production and on a laptop: `devserver up -d && python -m shop.worker`."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

from temporalio.client import Client
from temporalio.envconfig import ClientConfig
from temporalio.worker import Worker

from .activities import charge, ship
from .workflows import Order, Report, Shipment

TASK_QUEUE = "shop"


async def main() -> None:
    config = ClientConfig.load_client_connect_config()  # the SDK's environment variables and profiles
    config.setdefault("target_host", "127.0.0.1:7233")
    client = await Client.connect(**config)
    with ThreadPoolExecutor(10) as threads:
        await Worker(
            client,
            task_queue=TASK_QUEUE,
            workflows=[Order, Shipment, Report],
            activities=[charge, ship],
            activity_executor=threads,
        ).run()


if __name__ == "__main__":
    asyncio.run(main())
