"""A module of workflows that tests replay, as today's code and with changes."""

from __future__ import annotations

import asyncio
import importlib.util
from pathlib import Path
from typing import Any

from temporalio import activity
from temporalio.client import Client
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

QUEUE = "replayed"
CODE = '''
from datetime import timedelta

from temporalio import workflow

LIMIT = timedelta(seconds=30)


@workflow.defn
class Order:
    """Charges, ships what is urgent twice, and may wait for a signal."""

    def __init__(self) -> None:
        self.ended = False

    @workflow.run
    async def run(self, kind: str) -> str:
        charged = await workflow.execute_activity("charge", kind, start_to_close_timeout=LIMIT)
        if kind == "urgent":
            await workflow.execute_activity("ship", kind, start_to_close_timeout=LIMIT)
        if kind == "open":
            await workflow.wait_condition(lambda: self.ended)
        return charged

    @workflow.signal(description="Let the order end.")
    def end(self) -> None:
        self.ended = True


@workflow.defn
class Refund:
    """Charges only."""

    @workflow.run
    async def run(self, kind: str) -> str:
        return await workflow.execute_activity("charge", kind, start_to_close_timeout=LIMIT)
'''


@activity.defn(name="charge")
async def charge(kind: str) -> str:
    """Succeed."""
    return kind


@activity.defn(name="ship")
async def ship(kind: str) -> str:
    """Succeed."""
    return kind


def write_module(folder: Path, name: str = "shop", *changes: tuple[str, str]) -> Path:
    """Write the module; each change replaces a text of it."""
    code = CODE
    for old, new in changes:
        assert old in code
        code = code.replace(old, new)
    path = folder / f"{name}.py"
    path.write_text(code)
    return path


def worker_for(client: Client, module: Path) -> Worker:
    """A worker for the module."""
    spec = importlib.util.spec_from_file_location("replayed_shop", module)
    assert spec is not None
    assert spec.loader is not None
    shop: Any = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(shop)
    return Worker(
        client,
        task_queue=QUEUE,
        workflows=[shop.Order, shop.Refund],
        activities=[charge, ship],
        workflow_runner=UnsandboxedWorkflowRunner(),
        build_id="test",
    )


async def run_workflows(address: str, module: Path, counts: dict[str, int]) -> list[str]:
    """Run this many `Order`s of each kind, and one `Refund`; their ids. Those of the kind `open` stay open."""
    client = await Client.connect(address)
    async with worker_for(client, module):
        closed = [
            await client.execute_workflow("Order", kind, id=f"order-{kind}-{number}", task_queue=QUEUE)
            for kind, count in counts.items()
            if kind != "open"
            for number in range(count)
        ]
        await client.execute_workflow("Refund", "plain", id="refund-0", task_queue=QUEUE)
        for number in range(counts.get("open", 0)):
            handle = await client.start_workflow("Order", "open", id=f"order-open-{number}", task_queue=QUEUE)
            while not any(
                event.HasField("activity_task_completed_event_attributes")
                for event in (await handle.fetch_history()).events
            ):
                await asyncio.sleep(0.02)
        while (await client.count_workflows("CloseTime IS NOT NULL")).count < len(closed) + 1:
            await asyncio.sleep(0.02)
    return [*(f"order-{kind}-{number}" for kind, count in counts.items() for number in range(count)), "refund-0"]


async def save_histories(address: str, ids: list[str], folder: Path) -> None:
    """Write each history as the SDK does."""
    client = await Client.connect(address)
    for workflow_id in ids:
        history = await client.get_workflow_handle(workflow_id).fetch_history()
        (folder / f"{workflow_id}.json").write_text(history.to_json())
