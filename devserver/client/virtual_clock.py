"""The virtual clocks of workflows: the server's time skipping (V2), the one way to read and to drive it.

Each workflow that was started with time skipping has a clock of its own, through all its runs. A clock is

- manual: it runs in real time until somebody moves it (`manual_client` starts workflows so),
- moving: the server skips time until a fast-forward has arrived, where the clock is manual again (`begin_move`), or
- automatic: the server skips time whenever nothing is in flight (`release`).

The server skips no time while an activity, a workflow task or a child is in flight, or while the workflow is paused.
Children have clocks of their own, which are manual like their parent's: whoever moves or releases a clock releases
theirs. The server skips at most `frontend.WorkflowTimeSkippingMaxSkipPerSession` times for a workflow, and then makes
its clock manual without a word: `require_below_cap` finds that.

Needs temporalio 1.35 and server 1.32; see `require_time_skipping`.
"""

from __future__ import annotations

import contextlib
import uuid
from dataclasses import replace
from datetime import datetime, timedelta, timezone

from google.protobuf.field_mask_pb2 import FieldMask
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflowservice.v1 import DescribeWorkflowExecutionResponse, GetSystemInfoRequest
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from ..errors import ClockMoveReplaced, TimeSkippingUnavailable
from .calls import LONG_POLL_TIMEOUT, ServiceCalls
from .retries import SDK, CallRetries
from .statuses import OPEN_STATUSES
from .time_skipping import require_sdk
from .virtual_clock_state import ClockState, clock_capped, clock_state

with contextlib.suppress(ImportError):  # `require_sdk` says so
    from temporalio.api.common.v1 import FastForwardConfig, TimeSkippingConfig
    from temporalio.api.enums.v1.time_skipping_pb2 import FastForwardPollingResult
    from temporalio.api.workflow.v1 import WorkflowExecutionOptions
    from temporalio.api.workflowservice.v1 import (
        PollWorkflowExecutionTimeSkippingRequest,
        UpdateWorkflowExecutionOptionsRequest,
    )

SERVER_SINCE = (1, 32)
LEAST_MOVE = timedelta(milliseconds=1)  # the server refuses to move a clock by nothing
REPLACED = "fast_forward_id does not match"


class _ClockCalls(ServiceCalls):
    refusals = (
        RPCStatusCode.NOT_FOUND,
        RPCStatusCode.INVALID_ARGUMENT,
        RPCStatusCode.FAILED_PRECONDITION,
        RPCStatusCode.UNIMPLEMENTED,
        RPCStatusCode.PERMISSION_DENIED,
    )


class VirtualClock:
    """The clock of one workflow.

    Every method raises `CannotAsk` if the server does not answer, within what `retries` allow, and the SDK's `RPCError`
    if it refuses: NOT_FOUND for a workflow that does not exist or has ended.

    Args:
        run_id: One run; by default the current one, whichever that is at each call.
        retries: `through_outage(seconds)` for clocks that are driven while the server restarts.
    """

    def __init__(self, client: Client, workflow_id: str, run_id: str = "", *, retries: CallRetries = SDK) -> None:
        require_sdk()
        self.workflow_id = workflow_id
        self._run_id = run_id
        self._client = client
        self._retries = retries
        self._calls = _ClockCalls(client, retries=retries)

    # Reading

    async def describe(self) -> DescribeWorkflowExecutionResponse:
        """The server's description of the workflow, also while it is paused."""
        description = await self._calls.describe_workflow(self.workflow_id, self._run_id)
        if description is None:
            raise RPCError(f"there is no workflow {self.workflow_id}", RPCStatusCode.NOT_FOUND, b"")
        return description

    async def state(self) -> ClockState | None:
        """Where the clock is; None for a workflow without one."""
        return clock_state(await self.describe())

    async def now(self) -> datetime:
        """The workflow's time, in UTC; this machine's, if the workflow has no clock."""
        state = await self.state()
        return datetime.now(timezone.utc) if state is None else state.now

    async def require_below_cap(self, target: datetime | None = None) -> None:
        """Check that the server still skips time for a clock that was moved or released.

        Args:
            target: Where a fast-forward ends; a clock that is there has arrived.

        Raises:
            ClockCapped: The server has skipped as often as it may.
        """
        description = await self.describe()
        state = clock_state(description)
        if description.workflow_execution_info.status not in OPEN_STATUSES or state is None or state.skips:
            return
        capped = state.moving is None if target is None else state.now < target
        if capped:
            raise clock_capped(self.workflow_id, state)

    # Driving

    async def begin_move(self, by: timedelta) -> str:
        """Have the server move the clock, as soon as nothing is in flight; the id for `wait_moved`."""
        move = FastForwardConfig(id=str(uuid.uuid4()))
        move.duration.FromTimedelta(max(by, LEAST_MOVE))
        await self._configure(TimeSkippingConfig(enabled=True, fast_forward_config=move))
        return move.id

    async def wait_moved(self, move_id: str) -> bool:
        """Wait until a fast-forward has arrived, in whichever run; False if the workflow ended before.

        Raises:
            ClockMoveReplaced: Another call has moved the clock meanwhile.
            ClockCapped: The server has skipped as often as it may.
        """
        request = PollWorkflowExecutionTimeSkippingRequest(
            namespace=self._client.namespace,
            workflow_execution=WorkflowExecution(workflow_id=self.workflow_id),
            fast_forward_id=move_id,
        )
        poll = self._client.workflow_service.poll_workflow_execution_time_skipping
        retries = replace(self._retries, timeout=None)
        while True:
            answer = await self._calls.call(poll, request, timeout=LONG_POLL_TIMEOUT, limited=False, retries=retries)
            result = answer.fast_forward_polling_result
            if result == FastForwardPollingResult.FAST_FORWARD_POLLING_RESULT_FAST_FORWARD_COMPLETED:
                return True
            if result == FastForwardPollingResult.FAST_FORWARD_POLLING_RESULT_FAST_FORWARD_FAILED:
                if REPLACED in answer.failed_reason:
                    raise ClockMoveReplaced(f"another call moves the clock of {self.workflow_id} at the same time")
                await self._require_ended()
                return False

    async def _require_ended(self) -> None:
        """Check that a move failed because the workflow ended, and not because the server reached its limit."""
        try:
            description = await self.describe()
        except RPCError:
            return
        state = clock_state(description)
        if description.workflow_execution_info.status in OPEN_STATUSES and state is not None and not state.skips:
            raise clock_capped(self.workflow_id, state)

    async def move(self, by: timedelta) -> bool:
        """Move the clock and wait until it has arrived; False if the workflow ended before."""
        move_id = await self.begin_move(by)
        await self.release_children(only_untouched=True)
        return await self.wait_moved(move_id)

    async def release(self) -> None:
        """Let the server skip time by itself, for this workflow and its open children. An ended one is left alone."""
        with contextlib.suppress(RPCError):
            state = await self.state()
            if state is None or not state.automatic:
                await self._configure(TimeSkippingConfig(enabled=True))
            await self.release_children()

    async def hold(self) -> None:
        """Let the clock run in real time from now on, for this workflow and its open children; see `release`."""
        with contextlib.suppress(RPCError):
            description = await self.describe()
            state = clock_state(description)
            if state is not None and state.skips:
                await self._configure(TimeSkippingConfig(enabled=False))
            for child in description.pending_children:
                await VirtualClock(self._client, child.workflow_id, retries=self._retries).hold()

    async def release_children(self, *, only_untouched: bool = False) -> None:
        """Release the clocks of open children, which hold their parent's.

        Args:
            only_untouched: Leave children alone whose clocks somebody has set before.
        """
        for child in (await self.describe()).pending_children:
            clock = VirtualClock(self._client, child.workflow_id, retries=self._retries)
            with contextlib.suppress(RPCError):  # it has not started yet, or has ended
                if not only_untouched or await clock.state() is None:
                    await clock.release()

    async def _configure(self, config: TimeSkippingConfig) -> None:
        request = UpdateWorkflowExecutionOptionsRequest(
            namespace=self._client.namespace,
            workflow_execution=WorkflowExecution(workflow_id=self.workflow_id, run_id=self._run_id),
            workflow_execution_options=WorkflowExecutionOptions(time_skipping_config=config),
            update_mask=FieldMask(paths=["time_skipping_config"]),
            identity=self._client.identity,
        )
        await self._calls.call(self._client.workflow_service.update_workflow_execution_options, request)


async def require_time_skipping(client: Client) -> None:
    """Check that SDK and server skip time for the client's namespace.

    Raises:
        TimeSkippingUnavailable: The SDK or the server is too old, or the server has it switched off.
    """
    require_sdk()
    calls = _ClockCalls(client, retries=SDK)
    version = (await calls.call(client.workflow_service.get_system_info, GetSystemInfoRequest())).server_version
    if tuple(int(part) for part in version.split(".")[:2]) < SERVER_SINCE:
        raise TimeSkippingUnavailable(f"server {version} is too old for time skipping: it needs 1.32 or later")
    try:
        await VirtualClock(client, "no-such-workflow-probes-time-skipping").begin_move(LEAST_MOVE)
    except RPCError as error:
        if error.status != RPCStatusCode.NOT_FOUND:
            raise TimeSkippingUnavailable(
                f"time skipping is off on this server ({error.message})",
                hint="use the tuning fast, or set the dynamic configuration frontend.WorkflowTimeSkippingEnabled=true",
            ) from None
