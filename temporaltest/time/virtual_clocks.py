"""The virtual clocks of a test's workflows: a client whose workflows have one, and waits that let them skip time."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextvars import ContextVar
from datetime import datetime, timedelta, timezone
from typing import Any

from temporalio import client as sdk
from temporalio.client import Client, WorkflowHandle
from temporalio.service import RPCError

from devserver.client import VirtualClock, require_time_skipping, through_outage
from devserver.errors import CannotAsk, ClockCapped, TimeSkippingUnavailable

from ..errors import ClockStuck, NotSupported
from .shifted_start import ShiftedStart

POLL_SECONDS = 0.3
OUTAGE_SECONDS = 30.0
HOLD_SECONDS = 5.0
Handle = WorkflowHandle[Any, Any]

_AWAITED: ContextVar[bool] = ContextVar("temporaltest_awaited", default=False)


@contextlib.contextmanager
def started_and_awaited() -> Iterator[None]:
    """A block that starts workflows whose results are awaited next, so that their clocks may skip from the start."""
    token = _AWAITED.set(True)
    try:
        yield
    finally:
        _AWAITED.reset(token)


class VirtualClocks(sdk.Interceptor):
    """Time skipping of one test: `client` starts workflows that have a virtual clock.

    A clock runs in real time; it skips only while the test waits for the workflow's result, moves it or releases it.

    Attributes:
        ahead: How far the test's time is ahead of this machine's; a workflow starts that far ahead.
        automatic: Whether clocks skip as soon as nothing is in flight, also while the test does not wait.
    """

    def __init__(self, client: Client) -> None:
        try:
            from temporalio.testing import TimeSkipper
        except ImportError:
            from temporalio.service import __version__

            raise NotSupported(
                f"temporalio {__version__} has no time skipping on the real server; 1.35 or later is needed"
            ) from None
        options = client.config()
        options["interceptors"] = [self, *options["interceptors"]]
        self.client = Client(**options)
        self.skipper = TimeSkipper(client)
        self.ahead = timedelta(0)
        self.awaited: Counter[str] = Counter()
        self.is_shared = False
        self.automatic = False
        self._enabled = True

    def intercept_client(self, next: sdk.OutboundInterceptor) -> sdk.OutboundInterceptor:  # noqa: A002 - the SDK's name
        """The SDK asks each interceptor for its link of the chain."""
        return _Outbound(next, self)

    def share(self) -> None:
        """Give the test one time from now on: that of the workflow which is furthest ahead."""
        self.is_shared = True

    @contextlib.contextmanager
    def disabled(self) -> Iterator[None]:
        """A block in which workflows start, and are waited for, in real time."""
        before, self._enabled = self._enabled, False
        try:
            yield
        finally:
            self._enabled = before

    @property
    def enabled(self) -> bool:
        """Whether workflows that start now have a clock, and waits let clocks skip."""
        return self._enabled

    async def require(self) -> None:
        """Check that the server skips time for this namespace.

        Raises:
            NotSupported: It is too old, or has time skipping switched off.
        """
        try:
            await require_time_skipping(self.client)
        except TimeSkippingUnavailable as error:
            raise NotSupported(f"{error.message}: {error.hint}" if error.hint else error.message) from None

    def of(self, workflow: Handle | str) -> VirtualClock:
        """The clock of one workflow, driven also while the server restarts."""
        retries = through_outage(OUTAGE_SECONDS)
        if isinstance(workflow, str):
            return VirtualClock(self.client, workflow, retries=retries)
        return VirtualClock(self.client, workflow.id, workflow.run_id or "", retries=retries)

    async def advance_to(self, clock: VirtualClock) -> None:
        """Let the test's time be at least that of a clock."""
        self.ahead = max(self.ahead, await clock.now() - datetime.now(timezone.utc))

    async def check_awaited(self, clock: VirtualClock) -> None:
        """Check the clock of a workflow whose result is awaited, and release children that started meanwhile.

        Raises:
            ClockStuck: The server no longer skips time for it.
        """
        try:
            await clock.require_below_cap()
        except ClockCapped as error:
            raise ClockStuck(str(error)) from None
        await clock.release_children()


class _Outbound(sdk.OutboundInterceptor):
    def __init__(self, next: sdk.OutboundInterceptor, clocks: VirtualClocks) -> None:  # noqa: A002 - the SDK's name
        super().__init__(next)
        self._clocks = clocks

    async def start_workflow(self, input: sdk.StartWorkflowInput) -> Handle:  # noqa: A002 - the SDK's name
        """Give the workflow a clock, which begins at the test's time."""
        if not self._clocks.enabled:
            return await super().start_workflow(input)
        start = ShiftedStart(self._clocks.client, self._clocks.ahead, skips=self._clocks.automatic or _AWAITED.get())
        start.apply(input)
        handle = await super().start_workflow(input)
        await start.arrived(handle.id)
        return handle

    async def start_update_with_start_workflow(
        self,
        input: sdk.StartWorkflowUpdateWithStartInput,  # noqa: A002 - the SDK's name
    ) -> sdk.WorkflowUpdateHandle[Any]:
        """Give the workflow a clock, in real time: the server refuses to delay a start with an update."""
        if self._clocks.enabled:
            ShiftedStart(self._clocks.client, skips=self._clocks.automatic).apply(input.start_workflow_input)
        return await super().start_update_with_start_workflow(input)

    def fetch_workflow_history_events(
        self,
        input: sdk.FetchWorkflowHistoryEventsInput,  # noqa: A002 - the SDK's name
    ) -> sdk.WorkflowHistoryEventAsyncIterator:
        """Let the clock skip during a wait for the workflow's end."""
        events = super().fetch_workflow_history_events(input)
        if not input.wait_new_event or not self._clocks.enabled:
            return events
        awaited: Any = _AwaitedEvents(events, self._clocks, input.id, input.run_id)
        return awaited  # type: ignore[no-any-return]


class _AwaitedEvents:
    """The SDK's iterator over a workflow's events. While it waits, the clock skips; it notices one that is stuck."""

    def __init__(self, events: Any, clocks: VirtualClocks, workflow_id: str, run_id: str | None) -> None:
        self._events = events
        self._clocks = clocks
        self._clock = VirtualClock(clocks.client, workflow_id, run_id or "")
        self._was_automatic: bool | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._events, name)

    def __aiter__(self) -> AsyncIterator[Any]:
        return self

    async def __anext__(self) -> Any:
        awaited, workflow_id = self._clocks.awaited, self._clock.workflow_id
        awaited[workflow_id] += 1
        task = asyncio.ensure_future(self._next())
        try:
            if self._was_automatic is None:
                await self._release()
            while not (await asyncio.wait({task}, timeout=POLL_SECONDS))[0]:
                with contextlib.suppress(RPCError, CannotAsk):
                    await self._clocks.check_awaited(self._clock)
            event = task.result()
        except StopAsyncIteration:
            raise
        except BaseException:
            if awaited[workflow_id] == 1 and not self._was_automatic:
                await self._hold()
            raise
        finally:
            awaited[workflow_id] -= 1
            task.cancel()
        if self._clocks.is_shared:
            await self._advance()
        return event

    async def _next(self) -> Any:
        return await self._events.__anext__()

    async def _release(self) -> None:
        with contextlib.suppress(CannotAsk, RPCError):
            state = await self._clock.state()
            self._was_automatic = state is not None and state.automatic
            await self._clock.release()

    async def _hold(self) -> None:
        """Stop the clock where it is, in whichever run: the test continues without the result."""
        clock = VirtualClock(self._clocks.client, self._clock.workflow_id)
        with contextlib.suppress(CannotAsk, RPCError, asyncio.TimeoutError):
            await asyncio.wait_for(clock.hold(), HOLD_SECONDS)

    async def _advance(self) -> None:
        with contextlib.suppress(CannotAsk, RPCError):
            await self._clocks.advance_to(self._clock)
