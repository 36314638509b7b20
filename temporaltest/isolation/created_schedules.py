"""Schedules end with the test that created them."""

from __future__ import annotations

import asyncio
import contextlib

from temporalio import client as sdk
from temporalio.client import Client, ScheduleHandle
from temporalio.service import RPCError


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
