"""Time skipping of one test on the server's side: which clocks may move, moving them, letting them go."""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

from google.protobuf.field_mask_pb2 import FieldMask
from temporalio import client as sdk
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflowservice.v1 import GetSystemInfoRequest
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowHandle
from temporalio.service import RPCError, RPCStatusCode

from ..errors import ClockStuck, NotSupported

try:
    from temporalio.api.common.v1 import FastForwardConfig, TimeSkippingConfig, TimeSkippingInfo
    from temporalio.api.enums.v1.time_skipping_pb2 import FastForwardPollingResult as Poll
    from temporalio.api.workflow.v1 import WorkflowExecutionOptions
    from temporalio.api.workflowservice.v1 import (
        PollWorkflowExecutionTimeSkippingRequest,
        UpdateWorkflowExecutionOptionsRequest,
    )
    from temporalio.testing import TimeSkipper
except ImportError:
    from temporalio.service import __version__

    raise NotSupported(f"temporalio {__version__} has no time skipping on the real server; 1.35 has") from None

SINCE = (1, 32)
LOOK_SECONDS = 0.3
Handle = WorkflowHandle[Any, Any]


class VirtualClocks(sdk.Interceptor):
    """Time skipping of one test: `client` starts workflows that have a virtual clock.

    A clock runs by itself, as the SDK has it, until `hold` says that the test drives: from then on a workflow starts
    with its clock held, and a wait for its result lets it and its children go.
    """

    def __init__(self, client: Client) -> None:
        self.held = False
        self.skipper = TimeSkipper(client)
        options = self.skipper.client.config()
        options["interceptors"] = [self, *options["interceptors"]]
        self.client = Client(**options)

    def intercept_client(self, next: sdk.OutboundInterceptor) -> sdk.OutboundInterceptor:  # noqa: A002 - the SDK's name
        """The SDK asks each interceptor for its link of the chain."""
        return _Outbound(next, self)

    def hold(self) -> None:
        """Workflows that are started from now on wait for the test to move their clocks."""
        self.held = True
        self.skipper.config = replace(self.skipper.config, enabled=False)

    async def require(self) -> None:
        """Make sure that the server skips time for this namespace.

        Raises:
            NotSupported: It is too old, or it is switched off there.
        """
        system = await self.client.workflow_service.get_system_info(GetSystemInfoRequest())
        if tuple(int(part) for part in system.server_version.split(".")[:2]) < SINCE:
            raise NotSupported(f"server {system.server_version} is too old: time skipping needs 1.32 or later")
        nobody = self.client.get_workflow_handle("temporaltest-asks-for-time-skipping")
        try:
            await self._update(nobody, TimeSkippingConfig(enabled=True))
        except RPCError as error:
            if error.status != RPCStatusCode.NOT_FOUND:
                raise NotSupported(
                    f"time skipping is off on this server ({error.message}): the tuning fast has it on, the tuning "
                    "stock has not; elsewhere set the dynamic configuration frontend.WorkflowTimeSkippingEnabled=true"
                ) from error

    async def begin(self, handle: Handle, by: timedelta) -> str:
        """Tell the server to move a workflow's clock; the id to wait for."""
        move = FastForwardConfig(id=str(uuid.uuid4()))
        move.duration.FromTimedelta(by)
        await self._update(handle, TimeSkippingConfig(enabled=True, fast_forward_config=move))
        return move.id

    async def arrived(self, handle: Handle, move: str) -> bool:
        """Wait until the clock has moved, in whichever run of the workflow; False if the workflow ended before."""
        execution = WorkflowExecution(workflow_id=handle.id)
        request = PollWorkflowExecutionTimeSkippingRequest(
            namespace=self.client.namespace, workflow_execution=execution, fast_forward_id=move
        )
        while True:
            answer = await self.client.workflow_service.poll_workflow_execution_time_skipping(request, retry=True)
            if answer.fast_forward_polling_result == Poll.FAST_FORWARD_POLLING_RESULT_FAST_FORWARD_COMPLETED:
                return True
            if answer.fast_forward_polling_result == Poll.FAST_FORWARD_POLLING_RESULT_FAST_FORWARD_FAILED:
                if "fast_forward_id does not match" in answer.failed_reason:
                    raise ClockStuck(f"another call moves the clock of {handle.id} at the same time")
                return False

    async def _update(self, handle: Handle, config: TimeSkippingConfig) -> None:
        execution = WorkflowExecution(workflow_id=handle.id, run_id=handle.run_id or "")
        request = UpdateWorkflowExecutionOptionsRequest(
            namespace=self.client.namespace,
            workflow_execution=execution,
            workflow_execution_options=WorkflowExecutionOptions(time_skipping_config=config),
            update_mask=FieldMask(paths=["time_skipping_config"]),
            identity=self.client.identity,
        )
        await self.client.workflow_service.update_workflow_execution_options(request, retry=True)

    async def release(self, handle: Handle) -> None:
        """Let the clock run by itself, and those of the workflow's open children; an ended one is left alone."""
        with contextlib.suppress(RPCError):
            raw = (await handle.describe()).raw_description
            if not _runs(raw.workflow_extended_info.time_skipping_info):
                await self._update(handle, TimeSkippingConfig(enabled=True))
                raw = (await handle.describe()).raw_description
            for child in raw.pending_children:
                await self.release(self.client.get_workflow_handle(child.workflow_id))

    async def free_children(self, handle: Handle) -> None:
        """Let those clocks of open children go that nobody has moved; children that begin later run by themselves."""
        for child in (await handle.describe()).raw_description.pending_children:
            other: Handle = self.client.get_workflow_handle(child.workflow_id)
            with contextlib.suppress(RPCError):  # one that has not begun yet takes after its parent
                raw = (await other.describe()).raw_description
                if not raw.workflow_extended_info.HasField("time_skipping_info"):
                    await self.release(other)

    async def look(self, handle: Handle) -> None:
        """See to a workflow that a result is awaited of: children that began meanwhile get going.

        Raises:
            ClockStuck: The server has stopped skipping for it: the cap is reached.
        """
        description = await handle.describe()
        raw = description.raw_description
        if description.status != WorkflowExecutionStatus.RUNNING:
            return
        info = raw.workflow_extended_info.time_skipping_info
        stopped = raw.workflow_extended_info.HasField("time_skipping_info") and not _runs(info)
        if stopped and not info.effective_config.HasField("fast_forward_config"):
            raise ClockStuck(capped(handle.id, info))
        if self.held:
            for child in raw.pending_children:
                await self.release(self.client.get_workflow_handle(child.workflow_id))


def capped(workflow_id: str, info: TimeSkippingInfo) -> str:
    """Says that the server skips no more for a workflow, and what to do about it."""
    stands = info.current_time.ToDatetime().replace(microsecond=0)
    return (
        f"the clock of {workflow_id} stands at {stands} (UTC) and does not move any more: the server skips at most "
        f"{info.effective_config.max_session_skip_count} times and that cap is reached\n"
        "raise the dynamic configuration frontend.WorkflowTimeSkippingMaxSkipPerSession, which the tuning fast lifts "
        "(or look for a workflow that sleeps in an endless loop)"
    )


def _runs(info: TimeSkippingInfo) -> bool:
    """Whether a clock runs by itself, with no fast-forward that ends it."""
    return info.effective_config.enabled and not info.effective_config.HasField("fast_forward_config")


class _Outbound(sdk.OutboundInterceptor):
    """The link of `VirtualClocks` in the chain of a client's interceptors."""

    def __init__(self, next: sdk.OutboundInterceptor, skipping: VirtualClocks) -> None:  # noqa: A002 - the SDK's name
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

    def __init__(self, events: Any, skipping: VirtualClocks, workflow_id: str, run_id: str | None) -> None:
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
