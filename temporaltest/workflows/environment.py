"""`temporal_env`: the test's own server as an SDK `WorkflowEnvironment`, for tests that were written for one."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

from temporalio.client import WorkflowHandle
from temporalio.testing import WorkflowEnvironment

from ..errors import SetupError
from ..time import batch
from .listing import list_workflows

if TYPE_CHECKING:
    from temporalio.api.common.v1 import TimeSkippingInfo
    from temporalio.testing import TimeSkipper

    from ..isolation.context import CaseContext
    from ..time.virtual_clocks import VirtualClocks

Handle = WorkflowHandle[Any, Any]
OPEN = "ExecutionStatus = 'Running'"


class Environment(WorkflowEnvironment):
    """A `WorkflowEnvironment` on the plugin's server; `shutdown` does nothing, the plugin stops the server.

    With `@pytest.mark.temporal(time_skipping=True)` it behaves as the SDK's first time-skipping environment: clocks run
    in real time until `sleep` moves them or a result is awaited, and a workflow starts at `get_current_time()`. Here
    each workflow has its own clock, though.
    """

    def __init__(self, case: CaseContext) -> None:
        super().__init__(WorkflowEnvironment.from_client(case.client).client)
        self._case = case
        self._clocks: VirtualClocks | None = case.clocks
        if self._clocks is not None:
            self._clocks.share()

    @property
    def supports_time_skipping_v2(self) -> bool:
        """Whether the test is marked with `time_skipping=True`."""
        return self._clocks is not None

    async def sleep(self, duration: timedelta | float) -> None:
        """Move the clock of every open workflow ahead (a number is in seconds); without time skipping, wait that long.

        Raises:
            ClockStuck: A clock did not move; the message says what held it.
        """
        ahead = duration if isinstance(duration, timedelta) else timedelta(seconds=duration)
        if self._clocks is None:
            await asyncio.sleep(ahead.total_seconds())
            return
        self._clocks.ahead += ahead
        if ahead > timedelta(0):
            clocks = [self._clocks.of(workflow_id) for workflow_id in await self._workflow_ids(OPEN)]
            await batch.move_all(self._case, clocks, ahead)

    async def get_current_time(self, handle: Handle | None = None) -> datetime:
        """The workflow's time in UTC; without a handle, the time of the workflow that is furthest ahead."""
        if self._clocks is None:
            return datetime.now(timezone.utc)
        if handle is not None:
            return await self._clocks.of(handle).now()
        clocks = [self._clocks.of(workflow_id) for workflow_id in await self._workflow_ids("")]
        await asyncio.gather(*(self._clocks.advance_to(clock) for clock in clocks))
        return datetime.now(timezone.utc) + self._clocks.ahead

    async def fast_forward(self, handle: Handle, duration: timedelta | float | None = None, /) -> bool:
        """Move one workflow's clock (a number is in seconds), or to its end if None; False if the workflow ended first.

        Raises:
            ClockStuck: The clock did not move; the message says what held it.
        """
        moving = self._skipper("fast_forward").fast_forward(handle, duration)
        assert self._clocks is not None  # noqa: S101 - there is a skipper
        clocks = [self._clocks.of(handle)]
        return await batch.bounded(self._case, clocks, "its end" if duration is None else duration, moving)

    async def get_time_skipping_info(self, handle: Handle) -> TimeSkippingInfo | None:
        """The server's description of a workflow's clock."""
        return await self._skipper("get_time_skipping_info").get_time_skipping_info(handle)

    @contextlib.contextmanager
    def auto_time_skipping_disabled(self) -> Iterator[None]:
        """Workflows that start, or are waited for, in the block run in real time."""
        with self.with_time_skipping_disabled():
            yield

    @contextlib.contextmanager
    def with_time_skipping_disabled(self) -> Iterator[None]:
        """Workflows that start, or are waited for, in the block run in real time."""
        with contextlib.nullcontext() if self._clocks is None else self._clocks.disabled():
            yield

    def _skipper(self, method: str) -> TimeSkipper:
        if self._clocks is None:
            raise SetupError(f"temporal_env.{method} needs @pytest.mark.temporal(time_skipping=True) on the test")
        return self._clocks.skipper

    async def _workflow_ids(self, query: str) -> list[str]:
        """The workflows that were started here, and those in the server's lists, which include children."""
        ids = {info.execution.workflow_id async for info in list_workflows(self._case.unguarded(), query)}
        return sorted(ids | {workflow_id for workflow_id, _ in self._case.guard.started})
