"""What ends with a test on a shared server: its schedules, its open workflows, its namespace."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from typing import Any

from temporalio import client as sdk
from temporalio.api.operatorservice.v1 import DeleteNamespaceRequest
from temporalio.client import Client, ScheduleHandle
from temporalio.service import RPCError

from devserver.errors import CannotAsk

from ..workflows.listing import list_workflows

CLEAN_SECONDS = 2.0
MAX_CONCURRENT = 50
VISIBLE_SECONDS = 0.05


class CreatedSchedules(sdk.Interceptor):
    """A client interceptor that notes each schedule a test creates, so that it can be deleted."""

    def __init__(self) -> None:
        self.ids: list[str] = []

    def intercept_client(self, next: sdk.OutboundInterceptor) -> sdk.OutboundInterceptor:  # noqa: A002 - the SDK's name
        """The SDK asks each interceptor for its link of the chain."""
        return _Outbound(next, self)

    async def delete(self, client: Client) -> None:
        """Delete those that still exist."""
        await asyncio.gather(*(self._delete(client, schedule_id) for schedule_id in self.ids))

    async def _delete(self, client: Client, schedule_id: str) -> None:
        with contextlib.suppress(RPCError):
            await client.get_schedule_handle(schedule_id).delete()


class _Outbound(sdk.OutboundInterceptor):
    def __init__(self, next: sdk.OutboundInterceptor, created: CreatedSchedules) -> None:  # noqa: A002 - the SDK's name
        super().__init__(next)
        self._created = created

    async def create_schedule(self, input: sdk.CreateScheduleInput) -> ScheduleHandle:  # noqa: A002 - the SDK's name
        self._created.ids.append(input.id)
        return await super().create_schedule(input)


async def terminate_workflows(client: Client, started: Sequence[tuple[str, str | None]] = ()) -> None:
    """Terminate the open workflows, as many as possible in two seconds; errors are ignored.

    These are those that the client lists, and those of `started` (id, first run), which lists may not show yet.
    Open workflows with timers would keep a shared server busy.
    """
    try:
        await asyncio.wait_for(_terminate_open(client, started), CLEAN_SECONDS)
    except (asyncio.TimeoutError, RPCError, CannotAsk):
        return


async def delete_namespace(client: Client, name: str) -> None:
    """Delete a namespace with its content, in the background of the server. One that may not be deleted stays."""
    with contextlib.suppress(RPCError, asyncio.TimeoutError):
        deleting = client.operator_service.delete_namespace(DeleteNamespaceRequest(namespace=name))
        await asyncio.wait_for(deleting, CLEAN_SECONDS)


async def _terminate_open(client: Client, started: Sequence[tuple[str, str | None]]) -> None:
    limit = asyncio.Semaphore(MAX_CONCURRENT)

    async def end(workflow_id: str, **run: Any) -> None:
        async with limit:
            with contextlib.suppress(RPCError):
                await client.get_workflow_handle(workflow_id, **run).terminate("the test is over")

    await asyncio.gather(*(end(workflow_id, first_execution_run_id=run_id) for workflow_id, run_id in started))
    while infos := [info async for info in list_workflows(client, "ExecutionStatus = 'Running'")]:
        await asyncio.gather(*(end(info.execution.workflow_id, run_id=info.execution.run_id) for info in infos))
        await asyncio.sleep(VISIBLE_SECONDS)
