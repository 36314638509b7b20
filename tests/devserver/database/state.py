"""State in a server: open and closed workflows, search attributes and a schedule; creation and verification."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta

from temporalio import workflow
from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest
from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleIntervalSpec,
    ScheduleSpec,
)
from temporalio.common import SearchAttributeKey, SearchAttributePair, TypedSearchAttributes
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

QUEUE = "state"
OPEN = "open-one"
NOTE = SearchAttributeKey.for_text("CustomNote")
COLOUR = SearchAttributeKey.for_keyword("CustomColour")
TAGS = SearchAttributeKey.for_keyword_list("CustomTags")
LIMIT = 120.0


@workflow.defn
class Greeting:
    """Wait for a name, unless started with one, and greet it."""

    def __init__(self) -> None:
        self.name: str | None = None

    @workflow.run
    async def run(self, name: str | None) -> str:
        """Wait, then greet."""
        self.name = name
        await workflow.wait_condition(lambda: self.name is not None)
        return f"hello {self.name}"

    @workflow.signal
    def tell(self, name: str) -> None:
        """Set the name."""
        self.name = name


def worker(client: Client) -> Worker:
    """A worker for `Greeting`."""
    return Worker(client, task_queue=QUEUE, workflows=[Greeting], workflow_runner=UnsandboxedWorkflowRunner())


async def until(condition: Callable[[], Awaitable[bool]], what: str) -> None:
    """Wait until `condition` is true, at most LIMIT seconds."""
    deadline = time.monotonic() + LIMIT
    while not await condition():
        assert time.monotonic() < deadline, f"never came: {what}"
        await asyncio.sleep(0.05)


async def count(client: Client, query: str) -> int:
    """Return the number of workflows that match a query."""
    return len([execution async for execution in client.list_workflows(query)])


async def make(address: str) -> None:
    """Create an open workflow, closed ones, search attributes of three types, and a paused schedule."""
    client = await Client.connect(address)
    await _add_attributes(client)
    attributes = TypedSearchAttributes(
        [
            SearchAttributePair(NOTE, "the quick brown fox"),
            SearchAttributePair(COLOUR, "green"),
            SearchAttributePair(TAGS, ["north", "south"]),
        ]
    )
    async with worker(client):
        handle = await client.start_workflow(
            Greeting.run, None, id=OPEN, task_queue=QUEUE, search_attributes=attributes
        )
        for number in range(3):
            await client.execute_workflow(
                Greeting.run, f"w{number}", id=f"closed-{number}", task_queue=QUEUE, search_attributes=attributes
            )
        await until(lambda: _begun(handle.id, client), "the open workflow's first task")
    await client.create_schedule(
        "every-hour",
        Schedule(
            action=ScheduleActionStartWorkflow(Greeting.run, "schedule", id="scheduled", task_queue=QUEUE),
            spec=ScheduleSpec(intervals=[ScheduleIntervalSpec(every=timedelta(hours=1))]),
        ),
    )
    await until(lambda: _listed(client, 'CustomNote = "fox"', 4), "the search attributes in the list")


async def check(address: str) -> None:
    """Check that everything created by `make` exists, can be found, and continues."""
    client = await Client.connect(address)
    for query, number in (
        ('CustomNote = "fox"', 4),
        ('CustomNote = "hound"', 0),
        ('CustomColour = "green" AND ExecutionStatus = "Running"', 1),
        ('CustomTags = "north"', 4),
        ('ExecutionStatus = "Completed" AND WorkflowType = "Greeting"', 3),
    ):
        assert await count(client, query) == number, query
    async with worker(client):
        handle = client.get_workflow_handle(OPEN)
        await handle.signal(Greeting.tell, "world")
        assert await asyncio.wait_for(handle.result(), LIMIT) == "hello world"
        assert await client.get_workflow_handle("closed-1").result() == "hello w1"
        await _check_schedule(client)
        await until(lambda: _listed(client, 'CustomNote = "fox" AND CloseTime IS NOT NULL', 4), "closed in the list")


async def _check_schedule(client: Client) -> None:
    schedule = client.get_schedule_handle("every-hour")
    assert [listed.id async for listed in await client.list_schedules()] == ["every-hour"]
    await schedule.trigger()

    async def done() -> bool:
        return await count(client, 'TemporalScheduledById = "every-hour" AND ExecutionStatus = "Completed"') == 1

    await until(done, "the scheduled workflow")
    await client.create_schedule(
        "another",
        Schedule(action=ScheduleActionStartWorkflow(Greeting.run, "x", id="y", task_queue=QUEUE), spec=ScheduleSpec()),
    )
    await schedule.delete()


async def _begun(workflow_id: str, client: Client) -> bool:
    history = await client.get_workflow_handle(workflow_id).fetch_history()
    return len(history.events) >= 4


async def _listed(client: Client, query: str, number: int) -> bool:
    return await count(client, query) == number


async def _add_attributes(client: Client) -> None:
    await client.operator_service.add_search_attributes(
        AddSearchAttributesRequest(
            namespace="default",
            search_attributes={
                NOTE.name: IndexedValueType.INDEXED_VALUE_TYPE_TEXT,
                COLOUR.name: IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD,
                TAGS.name: IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD_LIST,
            },
        )
    )

    async def there() -> bool:
        try:
            await client.list_workflows('CustomNote = "x"').__anext__()
        except StopAsyncIteration:
            return True
        except Exception:  # noqa: BLE001 - not known yet
            return False
        return True

    await until(there, "the search attributes")
