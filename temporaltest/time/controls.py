"""`temporal_time`: the test drives the virtual clocks of its workflows, each its own."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any, TypeVar

from temporalio.client import ScheduleHandle, WorkflowExecutionStatus, WorkflowHandle
from temporalio.service import RPCError, RPCStatusCode

from ..errors import ClockStuck, SetupError, TemporalTestError, WaitTimeout
from . import diagnostics

if TYPE_CHECKING:
    from ..isolation.context import CaseContext
    from .time_skipping import VirtualClocks

T = TypeVar("T")
Handle = WorkflowHandle[Any, Any]

LOOK_SECONDS = 0.2
IDLE_SECONDS = 5.0
SPARE_SECONDS = 10.0


class AsyncTime:
    """`temporal_time.aio`: the same calls for async tests, to be awaited in any event loop."""

    def __init__(self, case: CaseContext, skipping: VirtualClocks) -> None:
        self._case = case
        self._skipping = skipping

    async def now(self, handle: Handle) -> datetime:
        """See `Time.now`."""
        _check_handle(handle)
        return await self._skipping.skipper.get_current_time(handle)

    async def fast_forward(self, handle: Handle, by: timedelta) -> datetime:
        """See `Time.fast_forward`."""
        _check_handle(handle)
        if by <= timedelta(0):
            raise SetupError(f"a clock goes forward only; {by!r} is not more than nothing")
        ahead = await self._ahead(handle)
        moving = self._watched(handle, by)
        try:
            arrived = await self._case.guard.wait(moving, f"the clock of {handle.id} to move by {by}")
        except WaitTimeout as error:
            holders = await diagnostics.holders(self._skipping.client, handle)
            raise ClockStuck(f"the clock of {handle.id} did not move by {by}: {holders}\n{error}") from None
        except RPCError as error:
            raise await self._refused(handle, error) from error
        if not arrived and await self._ahead(handle) - ahead < min(by / 2, timedelta(seconds=1)):
            holders = await diagnostics.holders(self._skipping.client, handle)
            raise ClockStuck(f"the clock of {handle.id} did not move by {by}: {holders} before (a child's is its own)")
        return await self.now(handle)

    async def until(self, handle: Handle, when: datetime) -> datetime:
        """See `Time.until`."""
        if when.tzinfo is None:
            raise SetupError(f"{when!r} has no time zone; say which: when.replace(tzinfo=timezone.utc)")
        now = await self.now(handle)
        if when <= now:
            raise SetupError(f"the clock of {handle.id} is past {when} already: it stands at {now}")
        return await self.fast_forward(handle, when - now)

    async def release(self, handle: Handle) -> None:
        """See `Time.release`."""
        _check_handle(handle)
        await handle.describe()  # says so if there is no such workflow
        await self._skipping.release(handle)

    async def _ahead(self, handle: Handle) -> timedelta:
        """How far the clock is ahead of this machine's."""
        return await self.now(handle) - datetime.now(timezone.utc)

    async def _watched(self, handle: Handle, by: timedelta) -> bool:
        """Move the clock; whether it arrived (else the workflow ended before). Notices what cannot mend by itself."""
        target = await self.now(handle) + by
        move = await self._skipping.begin(handle, by)
        await self._skipping.free_children(handle)
        task = asyncio.ensure_future(self._skipping.arrived(handle, move))
        patience = time.monotonic() + min(IDLE_SECONDS, self._case.guard.limit / 2)
        try:
            while not (await asyncio.wait({task}, timeout=LOOK_SECONDS))[0]:
                await self._look(handle, target, idle=time.monotonic() > patience)
            return task.result()
        finally:
            task.cancel()

    async def _look(self, handle: Handle, target: datetime, *, idle: bool) -> None:
        description = await handle.describe()
        if description.status != WorkflowExecutionStatus.RUNNING:
            return
        raw = description.raw_description
        info = raw.workflow_extended_info.time_skipping_info
        if not info.effective_config.enabled and info.current_time.ToDatetime(timezone.utc) < target:
            from .time_skipping import capped

            raise ClockStuck(capped(handle.id, info))
        queue = raw.workflow_execution_info.task_queue
        client = self._skipping.client
        if idle and raw.HasField("pending_workflow_task") and not await diagnostics.polled(client, queue):
            holders = await diagnostics.holders(client, handle)
            raise ClockStuck(f"the clock of {handle.id} does not move: {holders}")

    async def _refused(self, handle: Handle, error: RPCError) -> TemporalTestError:
        if error.status == RPCStatusCode.NOT_FOUND and "completed" in error.message:
            over = await diagnostics.holders(self._skipping.client, handle)
            return ClockStuck(f"the clock of {handle.id} does not move any more: {over}")
        return ClockStuck(f"the server refuses to move the clock of {handle.id}: {error.message}")


class Time:
    """The virtual clocks of a test's workflows; each has its own. Every call blocks; `aio` has the same to be awaited.

    In a test that has this fixture a workflow starts with its clock held: it goes on like a wall clock until the test
    moves it, or waits for the workflow's result, which lets it run by itself.
    """

    def __init__(self, case: CaseContext) -> None:
        if case.clocks is None:
            raise SetupError(
                "temporal_time needs workflows that have clocks of their own; mark the test (or its class or module):\n"
                "@pytest.mark.temporal(time_skipping=True)"
            )
        case.clocks.hold()
        self._case = case
        self.aio = AsyncTime(case, case.clocks)

    def now(self, handle: Handle) -> datetime:
        """The workflow's own time, in UTC; this machine's time where it never skipped any."""
        return self._run(self.aio.now(handle))

    def fast_forward(self, handle: Handle, by: timedelta) -> datetime:
        """Move the workflow's clock ahead and hold it there; what was due in between has happened. The time then.

        A workflow that ends on the way leaves its clock where it ended. Children have clocks of their own: those whose
        clocks the test has not moved itself run by themselves from now on, because an open child holds its parent's.

        Raises:
            ClockStuck: The clock did not move; says what held it.
            SetupError: `by` is not positive, or this is not a workflow's handle.
        """
        return self._run(self.aio.fast_forward(handle, by))

    def until(self, handle: Handle, when: datetime) -> datetime:
        """Move the workflow's clock ahead to `when`, which has a time zone, and hold it there. The time then.

        Raises:
            ClockStuck: The clock did not move; says what held it.
            SetupError: `when` is past in the workflow's time, or has no time zone.
        """
        return self._run(self.aio.until(handle, when))

    def release(self, handle: Handle) -> None:
        """Let the clock, and those of open children, run by themselves from now on, as fast as nothing is in flight."""
        self._run(self.aio.release(handle))

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return self._case.loop.run(work, self._case.guard.limit + SPARE_SECONDS)


def _check_handle(handle: object) -> None:
    if isinstance(handle, ScheduleHandle):
        raise SetupError(
            f"the schedule {handle.id} has no clock to move: schedules go by real time on the server\n"
            "temporal_schedules tells when it is due (next_times) and makes it act (trigger, backfill, overlap); "
            "the clock of a workflow that it started can be moved"
        )
    if not isinstance(handle, WorkflowHandle):
        raise SetupError(f"a clock belongs to a workflow: pass its handle, not {handle!r}")
