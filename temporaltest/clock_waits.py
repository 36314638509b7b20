"""Waits for results in virtual time: they set held clocks going, and notice those that do not move any more."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

from temporalio import client as sdk
from temporalio.service import RPCError

if TYPE_CHECKING:
    from .time.time_skipping import Skipping

LOOK_SECONDS = 0.3


class Outbound(sdk.OutboundInterceptor):
    """The link of `Skipping` in the chain of a client's interceptors."""

    def __init__(self, next: sdk.OutboundInterceptor, skipping: Skipping) -> None:  # noqa: A002 - the SDK's name
        super().__init__(next)
        self._skipping = skipping

    def fetch_workflow_history_events(
        self,
        input: sdk.FetchWorkflowHistoryEventsInput,  # noqa: A002 - the SDK's name
    ) -> sdk.WorkflowHistoryEventAsyncIterator:
        """What waits for a workflow to end is watched; anything else goes on as it is."""
        events = super().fetch_workflow_history_events(input)
        if not input.wait_new_event:
            return events
        watched: Any = _Watched(events, self._skipping, input.id, input.run_id)
        return watched  # type: ignore[no-any-return]


class _Watched:
    """The SDK's iterator over a workflow's events; it sets held clocks going and notices those that stand still."""

    def __init__(self, events: Any, skipping: Skipping, workflow_id: str, run_id: str | None) -> None:
        self._events = events
        self._skipping = skipping
        self._handle = skipping.client.get_workflow_handle(workflow_id, run_id=run_id)
        self._release = skipping.held

    def __getattr__(self, name: str) -> Any:
        return getattr(self._events, name)

    def __aiter__(self) -> AsyncIterator[Any]:
        return self

    async def __anext__(self) -> Any:
        if self._release:
            self._release = False
            await self._skipping.release(self._handle)
        task = asyncio.ensure_future(self._next())
        try:
            while not (await asyncio.wait({task}, timeout=LOOK_SECONDS))[0]:
                with contextlib.suppress(RPCError):
                    await self._skipping.look(self._handle)
            return task.result()
        finally:
            task.cancel()

    async def _next(self) -> Any:
        return await self._events.__anext__()
