"""Schedules end with the test that made them."""

from __future__ import annotations

import asyncio
import contextlib

from temporalio import client as sdk
from temporalio.client import Client, ScheduleHandle
from temporalio.service import RPCError


class Made(sdk.Interceptor):
    """Remembers which schedules a test makes, in whatever way, so that they end with it."""

    def __init__(self) -> None:
        self.ids: list[str] = []

    def intercept_client(self, next: sdk.OutboundInterceptor) -> sdk.OutboundInterceptor:  # noqa: A002 - the SDK's name
        """The SDK asks each interceptor for its link of the chain."""
        return _Outbound(next, self)

    async def delete(self, client: Client) -> None:
        """Delete those that are still there."""
        await asyncio.gather(*(self._delete(client, each) for each in self.ids))

    async def _delete(self, client: Client, schedule_id: str) -> None:
        with contextlib.suppress(RPCError):
            await client.get_schedule_handle(schedule_id).delete()


class _Outbound(sdk.OutboundInterceptor):
    def __init__(self, next: sdk.OutboundInterceptor, made: Made) -> None:  # noqa: A002 - the SDK's name
        super().__init__(next)
        self._made = made

    async def create_schedule(self, input: sdk.CreateScheduleInput) -> ScheduleHandle:  # noqa: A002 - the SDK's name
        self._made.ids.append(input.id)
        return await super().create_schedule(input)
