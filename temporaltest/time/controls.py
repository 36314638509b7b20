"""`temporal_time`: the test drives the virtual clocks of its workflows; each workflow has its own."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any, TypeVar

from temporalio.client import ScheduleHandle, WorkflowHandle
from temporalio.service import RPCError, RPCStatusCode

from devserver.client import VirtualClock
from devserver.errors import ClockCapped, ClockMoveReplaced

from ..errors import ClockStuck, SetupError, TemporalTestError, WaitTimeout
from ..workers.pollers import WORKFLOW, Pollers
from . import diagnostics

if TYPE_CHECKING:
    from ..isolation.context import CaseContext
    from .virtual_clocks import VirtualClocks

T = TypeVar("T")
Handle = WorkflowHandle[Any, Any]

POLL_SECONDS = 0.2
IDLE_SECONDS = 5.0
SPARE_SECONDS = 10.0


class AsyncTime:
    """`temporal_time.aio`: the same calls for async tests, to be awaited in any event loop."""

    def __init__(self, case: CaseContext, clocks: VirtualClocks) -> None:
        self._case = case
        self._clocks = clocks

    async def now(self, handle: Handle) -> datetime:
        """See `Time.now`."""
        return await self._clock(handle).now()

    async def fast_forward(self, handle: Handle, by: timedelta) -> datetime:
        """See `Time.fast_forward`."""
        clock = self._clock(handle)
        if by <= timedelta(0):
            raise SetupError(f"a clock moves forward only: pass a positive duration, not {by!r}")
        ahead = await _ahead(clock)
        try:
            arrived = await self._case.guard.wait(self._move(clock, by), f"the clock of {handle.id} to move by {by}")
        except WaitTimeout as error:
            raise ClockStuck(
                f"the clock of {handle.id} did not move by {by}: {await self._holders(clock)}\n{error}"
            ) from None
        except (ClockCapped, ClockMoveReplaced) as error:
            raise ClockStuck(str(error)) from None
        except RPCError as error:
            raise await self._refused(clock, error) from error
        if not arrived and await _ahead(clock) - ahead < min(by / 2, timedelta(seconds=1)):
            raise ClockStuck(
                f"the clock of {handle.id} did not move by {by}: {await self._holders(clock)} before "
                "(a child has a clock of its own)"
            )
        return await clock.now()

    async def until(self, handle: Handle, when: datetime) -> datetime:
        """See `Time.until`."""
        if when.tzinfo is None:
            raise SetupError(f"{when!r} has no time zone: use when.replace(tzinfo=timezone.utc)")
        now = await self.now(handle)
        if when <= now:
            raise SetupError(f"the clock of {handle.id} is already past {when}: it is at {now}")
        return await self.fast_forward(handle, when - now)

    async def release(self, handle: Handle) -> None:
        """See `Time.release`."""
        clock = self._clock(handle)
        await clock.describe()  # raises if there is no such workflow
        await clock.release()

    def _clock(self, handle: Handle) -> VirtualClock:
        _check_handle(handle)
        return self._clocks.of(handle)

    async def _holders(self, clock: VirtualClock) -> str:
        return await diagnostics.holders(self._clocks.client, clock, self._case.workers)

    async def _move(self, clock: VirtualClock, by: timedelta) -> bool:
        """Move the clock; False if the workflow ended before. Notices what blocks it for good."""
        target = await clock.now() + by
        task = asyncio.ensure_future(clock.move(by))
        idle_from = time.monotonic() + min(IDLE_SECONDS, self._case.guard.limit / 2)
        try:
            while not (await asyncio.wait({task}, timeout=POLL_SECONDS))[0]:
                await clock.require_below_cap(target)
                if time.monotonic() > idle_from:
                    await self._require_poller(clock)
            return task.result()
        finally:
            task.cancel()

    async def _require_poller(self, clock: VirtualClock) -> None:
        """Raise if a workflow task waits on a task queue that no worker polls."""
        description = await clock.describe()
        queue = description.workflow_execution_info.task_queue
        if not description.HasField("pending_workflow_task"):
            return
        if not await Pollers(self._clocks.client, self._case.workers).polled(queue, WORKFLOW):
            raise ClockStuck(f"the clock of {clock.workflow_id} does not move: {await self._holders(clock)}")

    async def _refused(self, clock: VirtualClock, error: RPCError) -> TemporalTestError:
        if error.status == RPCStatusCode.NOT_FOUND and "completed" in error.message:
            return ClockStuck(f"the clock of {clock.workflow_id} no longer moves: {await self._holders(clock)}")
        return ClockStuck(f"the server refuses to move the clock of {clock.workflow_id}: {error.message}")


class Time:
    """The virtual clocks of a test's workflows, one per workflow. Every call blocks; `aio` has the same to await.

    A clock runs in real time until the test moves it or waits for the workflow's result, which lets the server skip
    time.
    """

    def __init__(self, case: CaseContext) -> None:
        if case.clocks is None:
            raise SetupError(
                "temporal_time needs workflows with virtual clocks; mark the test (or its class or module):\n"
                "@pytest.mark.temporal(time_skipping=True)"
            )
        self._case = case
        self.aio = AsyncTime(case, case.clocks)

    def now(self, handle: Handle) -> datetime:
        """The workflow's own time, in UTC; this machine's time if the workflow has no virtual clock."""
        return self._run(self.aio.now(handle))

    def fast_forward(self, handle: Handle, by: timedelta) -> datetime:
        """Move the workflow's clock ahead; timers that are due in between fire. Returns the workflow's time then.

        A workflow that ends on the way leaves its clock where it ended. Children have clocks of their own: from now on
        the server skips time for those that the test has not moved itself, because an open child holds its parent.

        Raises:
            ClockStuck: The clock did not move; the message says what held it.
            SetupError: `by` is not positive, or this is not a workflow's handle.
        """
        return self._run(self.aio.fast_forward(handle, by))

    def until(self, handle: Handle, when: datetime) -> datetime:
        """Move the workflow's clock ahead to `when`, which has a time zone. Returns the workflow's time then.

        Raises:
            ClockStuck: The clock did not move; the message says what held it.
            SetupError: `when` is in the workflow's past, or has no time zone.
        """
        return self._run(self.aio.until(handle, when))

    def release(self, handle: Handle) -> None:
        """Let the server skip time for the workflow and its open children whenever nothing is in flight."""
        self._run(self.aio.release(handle))

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return self._case.loop.run(work, self._case.guard.limit + SPARE_SECONDS)


async def _ahead(clock: VirtualClock) -> timedelta:
    """How far the clock is ahead of this machine's."""
    return await clock.now() - datetime.now(timezone.utc)


def _check_handle(handle: object) -> None:
    if isinstance(handle, ScheduleHandle):
        raise SetupError(
            f"the schedule {handle.id} has no clock to move: schedules run in real time on the server\n"
            "use temporal_schedules to see when it is due (next_times) and to trigger it (trigger, backfill, overlap), "
            "and temporal_time for the workflows that it starts"
        )
    if not isinstance(handle, WorkflowHandle):
        raise SetupError(f"a clock belongs to a workflow: pass its handle, not {handle!r}")
