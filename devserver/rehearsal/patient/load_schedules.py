"""Schedules of the workload: each acts once, about a second after it was acknowledged."""

from __future__ import annotations

import asyncio
import contextlib
import time
import uuid
from collections.abc import Awaitable
from dataclasses import replace
from datetime import timedelta
from typing import Any

from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleIntervalSpec,
    ScheduleSpec,
    ScheduleState,
)
from temporalio.service import RPCError

from .load_workflow import QUEUE, LoadWorkflow
from .record import LoadCall

INTERVAL = timedelta(seconds=1)
RUN = "-run"
POLL_SECONDS = 0.1


class LoadSchedules:
    """The schedules of one workload, which the client creates one by one."""

    def __init__(self, client: Client, deadline: float) -> None:
        self._client = client
        self._deadline = deadline
        self._calls: dict[str, LoadCall] = {}

    async def create(self) -> None:
        """Create one; it acts once."""
        name = f"load-schedule-{uuid.uuid4().hex[:12]}"
        self._calls[name] = LoadCall(name, time.time())
        action = ScheduleActionStartWorkflow(LoadWorkflow.run, id=f"{name}{RUN}", task_queue=QUEUE)
        schedule = Schedule(
            action=action,
            spec=ScheduleSpec(intervals=[ScheduleIntervalSpec(every=INTERVAL)]),
            state=ScheduleState(limited_actions=True, remaining_actions=1),
        )
        problem = await self._called(
            self._client.create_schedule(name, schedule, rpc_timeout=timedelta(seconds=self._deadline))
        )
        if problem is None:
            self._note(name, acknowledged=time.time())
        else:
            self._note(name, error=problem)

    async def _called(self, call: Awaitable[Any]) -> str | None:
        try:
            await asyncio.wait_for(call, self._deadline + 0.5)
        except asyncio.TimeoutError:
            return "no answer within its deadline"
        except RPCError as error:
            return f"{error.status.name}: {error.message}"
        return None

    def on_step(self, workflow_id: str) -> None:
        """A workflow of the workload has run."""
        name = workflow_id.partition(RUN)[0]
        if name in self._calls and self._calls[name].completed is None:
            self._note(name, completed=time.time())

    async def settle(self, deadline: float) -> None:
        """Wait until each one that was acknowledged has acted, up to `deadline` by `time.monotonic()`."""
        while time.monotonic() < deadline and self._waited_for():
            await asyncio.sleep(POLL_SECONDS)
        for name, call in self._calls.items():
            if call.acknowledged is not None:
                self._note(name, result="complete" if call.completed is not None else "it never acted")

    async def delete(self) -> None:
        """Remove them from the cluster."""
        for name in self._calls:
            with contextlib.suppress(RPCError, asyncio.TimeoutError):
                await self._client.get_schedule_handle(name).delete(rpc_timeout=timedelta(seconds=self._deadline))

    def calls(self) -> list[LoadCall]:
        """Those that were created, by time."""
        return list(self._calls.values())

    def _waited_for(self) -> bool:
        return any(call.acknowledged is not None and call.completed is None for call in self._calls.values())

    def _note(self, name: str, **changes: object) -> None:
        self._calls[name] = replace(self._calls[name], **changes)  # type: ignore[arg-type]
