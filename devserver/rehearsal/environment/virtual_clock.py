"""The virtual clock of a run: it skips by itself, stops at the moments that are planned, and can be moved ahead."""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

from temporalio.client import Client, WorkflowHandle
from temporalio.service import RPCError

from ..errors import WorkerFailed

if TYPE_CHECKING:
    from temporalio.api.common.v1 import TimeSkippingConfig
    from temporalio.api.workflowservice.v1 import DescribeWorkflowExecutionResponse

AGAIN_SECONDS = 0.05
LATE = timedelta(milliseconds=1)  # the server moves no clock by nothing


@dataclass(eq=False)
class ClockStop:
    """A virtual time, `offset` after the start, at which the clock is held until all `holders` have let it go."""

    offset: timedelta
    holders: int
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    gone: asyncio.Event = field(default_factory=asyncio.Event)

    def let_go(self) -> None:
        """One of the holders needs it no more."""
        self.holders -= 1
        if self.holders <= 0:
            self.gone.set()


class RunClock:
    """Drives the clock of one workflow, through all its runs and the server's outages, until `close`."""

    def __init__(self, client: Client, workflow_id: str, offsets: Sequence[timedelta]) -> None:
        self._plain = client
        self._handle: WorkflowHandle[Any, Any] = client.get_workflow_handle(workflow_id)
        self._stops = [ClockStop(offset, offsets.count(offset)) for offset in sorted(set(offsets))]
        self._begun: datetime | None = None
        self._changed = asyncio.Event()
        self._driving: asyncio.Task[None] | None = None
        self.client = _holding(client)  # what it starts has a clock, which is held

    def started(self) -> None:
        """The workflow has been started, or the server is back: its clock goes on from here."""
        self._changed.set()
        if self._driving is None:
            self._driving = asyncio.create_task(self._drive())

    def close(self) -> None:
        """Drive it no more."""
        if self._driving is not None:
            self._driving.cancel()

    def stop(self, offset: timedelta) -> ClockStop:
        """The stop at a moment that was planned."""
        return next(stop for stop in self._stops if stop.offset == offset)

    async def ahead(self, by: timedelta) -> ClockStop:
        """Have it move ahead by so much from now, as soon as no activity is under way; nobody holds it there."""
        stop = ClockStop(await self._now() + by, 0)
        stop.gone.set()
        self._stops.append(stop)
        self._changed.set()
        return stop

    # Driving

    async def _drive(self) -> None:
        while True:
            self._changed.clear()
            try:
                await self._turn()
            except RPCError:  # the server is down, or the workflow has ended
                await asyncio.sleep(AGAIN_SECONDS)

    async def _turn(self) -> None:
        """Move it to the next stop and wait until it is let go; with no stop left, let it run."""
        if not self._stops:
            await self._update(_config())
            await self._free_children()
            await self._changed.wait()
            return
        stop = min(self._stops, key=lambda each: each.offset)
        left = stop.offset - await self._now()
        if left > timedelta(0) and not await self._moved(left):
            return
        stop.arrived.set()
        await stop.gone.wait()
        self._stops.remove(stop)

    async def _moved(self, by: timedelta) -> bool:
        """Move it; False where something else comes first."""
        move = str(uuid.uuid4())
        await self._update(_config(move, max(by, LATE)))
        await self._free_children()
        tasks = [asyncio.create_task(self._arrived(move)), asyncio.create_task(self._changed.wait())]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            return tasks[0].done() and tasks[0].result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    # The server's side

    async def _now(self) -> timedelta:
        """The virtual time since the start."""
        description = await self._describe(self._handle.id)
        if self._begun is None:
            self._begun = description.workflow_execution_info.start_time.ToDatetime(timezone.utc)
        info = description.workflow_extended_info
        if not info.HasField("time_skipping_info"):
            return datetime.now(timezone.utc) - self._begun
        return info.time_skipping_info.current_time.ToDatetime(timezone.utc) - self._begun

    async def _describe(self, workflow_id: str) -> DescribeWorkflowExecutionResponse:
        """The workflow's current run, which the SDK cannot describe while it is paused."""
        from temporalio.api.common.v1 import WorkflowExecution
        from temporalio.api.workflowservice.v1 import DescribeWorkflowExecutionRequest

        execution = WorkflowExecution(workflow_id=workflow_id)
        request = DescribeWorkflowExecutionRequest(namespace=self._plain.namespace, execution=execution)
        return await self._plain.workflow_service.describe_workflow_execution(request)

    async def _update(self, config: TimeSkippingConfig, workflow_id: str | None = None) -> None:
        from google.protobuf.field_mask_pb2 import FieldMask
        from temporalio.api.common.v1 import WorkflowExecution
        from temporalio.api.workflow.v1 import WorkflowExecutionOptions
        from temporalio.api.workflowservice.v1 import UpdateWorkflowExecutionOptionsRequest

        request = UpdateWorkflowExecutionOptionsRequest(
            namespace=self._plain.namespace,
            workflow_execution=WorkflowExecution(workflow_id=workflow_id or self._handle.id),
            workflow_execution_options=WorkflowExecutionOptions(time_skipping_config=config),
            update_mask=FieldMask(paths=["time_skipping_config"]),
        )
        await self._plain.workflow_service.update_workflow_execution_options(request)

    async def _arrived(self, move: str) -> bool:
        """Wait until it has moved; False where the workflow ended before, or another move took its place."""
        from temporalio.api.common.v1 import WorkflowExecution
        from temporalio.api.enums.v1.time_skipping_pb2 import FastForwardPollingResult as Poll
        from temporalio.api.workflowservice.v1 import PollWorkflowExecutionTimeSkippingRequest

        request = PollWorkflowExecutionTimeSkippingRequest(
            namespace=self._plain.namespace,
            workflow_execution=WorkflowExecution(workflow_id=self._handle.id),
            fast_forward_id=move,
        )
        while True:
            answer = await self._plain.workflow_service.poll_workflow_execution_time_skipping(request)
            if answer.fast_forward_polling_result == Poll.FAST_FORWARD_POLLING_RESULT_FAST_FORWARD_COMPLETED:
                return True
            if answer.fast_forward_polling_result == Poll.FAST_FORWARD_POLLING_RESULT_FAST_FORWARD_FAILED:
                await asyncio.sleep(AGAIN_SECONDS)
                return False

    async def _free_children(self) -> None:
        """Let the clocks of open children run that began while this one was held: they hold their parent's."""
        for child in (await self._describe(self._handle.id)).pending_children:
            with contextlib.suppress(RPCError):  # it has not begun yet, or has ended
                info = (await self._describe(child.workflow_id)).workflow_extended_info
                if not info.time_skipping_info.effective_config.enabled:
                    await self._update(_config(), child.workflow_id)


def _config(move: str | None = None, by: timedelta = timedelta(0)) -> TimeSkippingConfig:
    from temporalio.api.common.v1 import FastForwardConfig, TimeSkippingConfig

    config = TimeSkippingConfig(enabled=True)
    if move is not None:
        ahead = FastForwardConfig(id=move)
        ahead.duration.FromTimedelta(by)
        config.fast_forward_config.CopyFrom(ahead)
    return config


def _holding(client: Client) -> Client:
    try:
        from temporalio.testing import TimeSkipper, TimeSkippingConfig
    except ImportError:
        raise WorkerFailed("this temporalio has no time skipping on the real server", hint="1.35 has") from None
    return TimeSkipper(client, config=TimeSkippingConfig(enabled=False)).client
