"""`temporal_env`: the SDK's `WorkflowEnvironment` shape on the test's own server, for tests written for that."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

from temporalio.client import WorkflowHandle
from temporalio.testing import WorkflowEnvironment

from .errors import SetupError
from .time import batch

if TYPE_CHECKING:
    from temporalio.api.common.v1 import TimeSkippingInfo
    from temporalio.testing import TimeSkipper

    from .isolation.context import CaseContext
    from .time.time_skipping import VirtualClocks

Handle = WorkflowHandle[Any, Any]
OPEN = "ExecutionStatus = 'Running'"


class Environment(WorkflowEnvironment):
    """A `WorkflowEnvironment` whose server is the plugin's; `shutdown` is left to the plugin.

    With `@pytest.mark.temporal(time_skipping=True)` it behaves as the SDK's first time-skipping environment did: clocks
    go on like a wall clock until `sleep` moves them, or a result is awaited. Each workflow has its own clock, though.
    """

    def __init__(self, case: CaseContext) -> None:
        super().__init__(WorkflowEnvironment.from_client(case.client).client)
        self._case = case
        self._skipping: VirtualClocks | None = case.clocks
        self._slept = timedelta(0)
        if self._skipping is not None:
            self._skipping.hold()

    @property
    def supports_time_skipping_v2(self) -> bool:
        """Whether the test is marked with `time_skipping=True`."""
        return self._skipping is not None

    async def sleep(self, duration: timedelta | float) -> None:
        """Move the clock of every open workflow ahead (a number is in seconds); without time skipping, wait so long.

        Raises:
            ClockStuck: A clock did not move; says what held it.
        """
        ahead = duration if isinstance(duration, timedelta) else timedelta(seconds=duration)
        if self._skipping is None:
            await asyncio.sleep(ahead.total_seconds())
            return
        self._slept += ahead
        if ahead > timedelta(0):
            await batch.move_all(self._case, self._skipping, await self._handles(OPEN), ahead)

    async def get_current_time(self, handle: Handle | None = None) -> datetime:
        """The time of that workflow, in UTC; of the workflow that is furthest ahead, if none is given."""
        now = datetime.now(timezone.utc)
        if self._skipping is None:
            return now
        if handle is not None:
            return await self._skipping.skipper.get_current_time(handle)
        clocks = await asyncio.gather(*map(self._skipping.skipper.get_current_time, await self._handles("")))
        return max(now + self._slept, *clocks) if clocks else now + self._slept

    async def fast_forward(self, handle: Handle, duration: timedelta | float | None = None, /) -> bool:
        """Move one workflow's clock (a number is in seconds), to its end if None; False if the workflow ended first.

        Raises:
            ClockStuck: The clock did not move; says what held it.
        """
        moving = self._skipper("fast_forward").fast_forward(handle, duration)
        return await batch.bounded(self._case, [handle], "its end" if duration is None else duration, moving)

    async def get_time_skipping_info(self, handle: Handle) -> TimeSkippingInfo | None:
        """What the server says of a workflow's clock."""
        return await self._skipper("get_time_skipping_info").get_time_skipping_info(handle)

    @contextlib.contextmanager
    def auto_time_skipping_disabled(self) -> Iterator[None]:
        """Workflows that are started or awaited in the block run in real time."""
        with self.with_time_skipping_disabled():
            yield

    @contextlib.contextmanager
    def with_time_skipping_disabled(self) -> Iterator[None]:
        """Workflows that are started or awaited in the block run in real time."""
        skipping = self._skipping
        if skipping is None:
            yield
            return
        held, skipping.held = skipping.held, False
        try:
            with skipping.skipper.with_time_skipping_disabled():
                yield
        finally:
            skipping.held = held

    def _skipper(self, what: str) -> TimeSkipper:
        if self._skipping is None:
            raise SetupError(f"temporal_env.{what} needs @pytest.mark.temporal(time_skipping=True) on the test")
        return self._skipping.skipper

    async def _handles(self, query: str) -> list[Handle]:
        """The workflows that were started here, and those that lists show: children among them."""
        found = {each.id async for each in self._case.client.list_workflows(query)}
        found |= {workflow_id for workflow_id, _ in self._case.guard.started}
        return [self._case.client.get_workflow_handle(each) for each in sorted(found)]
