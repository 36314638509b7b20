"""Virtual clocks on a real server: moved, released, capped, and driven through a restart."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from temporalio import workflow
from temporalio.client import Client, WorkflowHandle
from temporalio.service import RPCError, RPCStatusCode
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from devserver import DevServer
from devserver.client import VirtualClock, manual_client, require_time_skipping, through_outage
from devserver.errors import ClockCapped, ClockMoveReplaced, TimeSkippingUnavailable
from devserver.executables.models import Executable
from tests.helpers.shared_server import SharedServer

DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)
QUEUE = "clocks"
MAX_SKIPS = "frontend.WorkflowTimeSkippingMaxSkipPerSession"


@workflow.defn
class Sleeper:
    """Sleeps for these numbers of days, one after the other."""

    @workflow.run
    async def run(self, days: int) -> str:
        """Sleep."""
        for _ in range(days):
            await asyncio.sleep(86400)
        return "rested"


@workflow.defn
class Parent:
    """Waits for a child that sleeps."""

    @workflow.run
    async def run(self, days: int) -> str:
        """Wait."""
        child: Any = await workflow.start_child_workflow(Sleeper.run, days, id=f"{workflow.info().workflow_id}-child")
        return str(await child)


@asynccontextmanager
async def manual(server: DevServer | SharedServer) -> AsyncIterator[Client]:
    """A client whose workflows have manual clocks, with a worker."""
    client = await Client.connect(server.address, namespace=server.namespace)
    options: dict[str, Any] = {"workflows": [Sleeper, Parent], "workflow_runner": UnsandboxedWorkflowRunner()}
    async with Worker(client, task_queue=QUEUE, **options):
        yield manual_client(client)


async def start(client: Client, run: Callable[..., Awaitable[str]], days: int) -> WorkflowHandle[Any, Any]:
    """Start a workflow whose id is the name of its type."""
    name = run.__qualname__.split(".")[0]
    handle: Any = await client.start_workflow(name, days, id=name.lower(), task_queue=QUEUE)
    return handle  # type: ignore[no-any-return]


async def ahead(clock: VirtualClock) -> timedelta:
    """Return how far a clock is ahead of this machine's."""
    return await clock.now() - datetime.now(timezone.utc)


def test_a_clock_moves_and_is_released(server: SharedServer) -> None:
    """A manual clock moves by the given time and then runs in real time; a released one runs to the workflow's end."""

    async def story() -> None:
        async with manual(server) as client:
            await require_time_skipping(client)
            handle = await start(client, Sleeper.run, 3)
            clock = VirtualClock(client, handle.id)
            assert await clock.move(DAY / 2)
            assert DAY / 2 - MINUTE <= await ahead(clock) < DAY
            state = await clock.state()
            assert state is not None
            assert not state.automatic
            await clock.release()
            assert await handle.result() == "rested"
            with pytest.raises(RPCError) as error:
                await clock.begin_move(DAY)
            assert error.value.status == RPCStatusCode.NOT_FOUND

    asyncio.run(story())


def test_children_are_released_with_their_parent(server: SharedServer) -> None:
    """The clock of an open child holds its parent's; moving the parent's clock releases the child's."""

    async def story() -> None:
        async with manual(server) as client:
            handle = await start(client, Parent.run, 2)
            child = VirtualClock(client, f"{handle.id}-child", retries=through_outage(20))
            while not (await VirtualClock(client, handle.id).describe()).pending_children:
                await asyncio.sleep(0.01)
            await VirtualClock(client, handle.id).move(5 * DAY)
            assert await handle.result() == "rested"
            assert await ahead(child) >= DAY

    asyncio.run(story())


def test_a_clock_at_the_skip_cap(installed: Executable) -> None:
    """The server silently stops skipping; the error has the number of skips and the setting to raise."""

    async def story(server: DevServer) -> None:
        async with manual(server) as client:
            handle = await start(client, Sleeper.run, 9)
            clock = VirtualClock(client, handle.id)
            await clock.release()
            with pytest.raises(ClockCapped, match=f"(?s)skipped time 3 times.*{MAX_SKIPS}"):  # noqa: PT012 - a loop
                while True:
                    await clock.require_below_cap()
                    await asyncio.sleep(0.01)

    with DevServer.start(ui=False, dynamic_config={MAX_SKIPS: 3}) as server:
        asyncio.run(story(server))


def test_a_second_move_replaces_the_first(server: SharedServer) -> None:
    """The first caller gets an error that another call has replaced it."""

    async def story() -> None:
        client = manual_client(await server.connect())  # without a worker the clock does not move
        handle = await start(client, Sleeper.run, 1)
        clock = VirtualClock(client, handle.id)
        first = await clock.begin_move(DAY)
        await clock.begin_move(DAY)
        with pytest.raises(ClockMoveReplaced, match="another call moves the clock of sleeper"):
            await clock.wait_moved(first)

    asyncio.run(story())


def test_a_move_survives_a_restart_of_the_server(installed: Executable) -> None:
    """With retries during an outage, a move that started before a kill completes after the restart."""

    async def story(server: DevServer) -> None:
        client = manual_client(await Client.connect(server.address))
        handle = await start(client, Sleeper.run, 1)
        clock = VirtualClock(client, handle.id, retries=through_outage(30))
        moving = asyncio.create_task(clock.move(DAY / 2))
        await asyncio.sleep(0.1)
        await asyncio.to_thread(server.kill)
        await asyncio.sleep(0.1)
        await asyncio.to_thread(server.restart)
        async with manual(server):
            assert await asyncio.wait_for(moving, 30)
            assert await ahead(clock) >= DAY / 2 - MINUTE

    with DevServer.start(ui=False) as server:
        asyncio.run(story(server))


def test_a_server_without_time_skipping_says_what_to_set(installed: Executable) -> None:
    """Time skipping is off with the stock tuning."""

    async def story(server: DevServer) -> None:
        client = await Client.connect(server.address)
        with pytest.raises(TimeSkippingUnavailable, match=r"WorkflowTimeSkippingEnabled=true"):
            await require_time_skipping(client)

    with DevServer.start(ui=False, tuning="stock") as server:
        asyncio.run(story(server))
