"""The virtual clocks of a test's workflows: a client whose workflows have one, and waits that notice a stuck clock."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from typing import Any

from temporalio import client as sdk
from temporalio.client import Client, WorkflowHandle
from temporalio.service import RPCError

from devserver.client import VirtualClock, require_time_skipping, through_outage
from devserver.errors import CannotAsk, ClockCapped, TimeSkippingUnavailable

from ..errors import ClockStuck, NotSupported

POLL_SECONDS = 0.3
OUTAGE_SECONDS = 30.0
Handle = WorkflowHandle[Any, Any]


class VirtualClocks(sdk.Interceptor):
    """Time skipping of one test: `client` starts workflows that have a virtual clock.

    The clocks are automatic, as the SDK's, until `start_manual`: from then on workflows start with manual clocks, and a
    wait for a workflow's result releases its clock and those of its children.
    """

    def __init__(self, client: Client) -> None:
        try:
            from temporalio.testing import TimeSkipper
        except ImportError:
            from temporalio.service import __version__

            raise NotSupported(
                f"temporalio {__version__} has no time skipping on the real server; 1.35 or later is needed"
            ) from None
        self.manual = False
        self.skipper = TimeSkipper(client)
        options = self.skipper.client.config()
        options["interceptors"] = [self, *options["interceptors"]]
        self.client = Client(**options)

    def intercept_client(self, next: sdk.OutboundInterceptor) -> sdk.OutboundInterceptor:  # noqa: A002 - the SDK's name
        """The SDK asks each interceptor for its link of the chain."""
        return _Outbound(next, self)

    def start_manual(self) -> None:
        """Start workflows with manual clocks from now on."""
        self.manual = True
        self.skipper.config = replace(self.skipper.config, enabled=False)

    @contextlib.contextmanager
    def restored(self) -> Iterator[None]:
        """A block after which workflows start as they did before it."""
        manual, config = self.manual, self.skipper.config
        try:
            yield
        finally:
            self.manual, self.skipper.config = manual, config

    @contextlib.contextmanager
    def disabled(self) -> Iterator[None]:
        """A block in which workflows start, and are waited for, in real time."""
        manual, self.manual = self.manual, False
        try:
            with self.skipper.with_time_skipping_disabled():
                yield
        finally:
            self.manual = manual

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

    async def check_awaited(self, clock: VirtualClock) -> None:
        """Check the clock of a workflow whose result is awaited, and release children that started meanwhile.

        Raises:
            ClockStuck: The server no longer skips time for it.
        """
        try:
            await clock.require_below_cap()
        except ClockCapped as error:
            raise ClockStuck(str(error)) from None
        if self.manual:
            await clock.release_children()


class _Outbound(sdk.OutboundInterceptor):
    def __init__(self, next: sdk.OutboundInterceptor, clocks: VirtualClocks) -> None:  # noqa: A002 - the SDK's name
        super().__init__(next)
        self._clocks = clocks

    def fetch_workflow_history_events(
        self,
        input: sdk.FetchWorkflowHistoryEventsInput,  # noqa: A002 - the SDK's name
    ) -> sdk.WorkflowHistoryEventAsyncIterator:
        """Watch the clock during a wait for the workflow's end."""
        events = super().fetch_workflow_history_events(input)
        if not input.wait_new_event:
            return events
        watched: Any = _WatchedEvents(events, self._clocks, input.id, input.run_id)
        return watched  # type: ignore[no-any-return]


class _WatchedEvents:
    """The SDK's iterator over a workflow's events. It releases a manual clock, and notices one that is stuck."""

    def __init__(self, events: Any, clocks: VirtualClocks, workflow_id: str, run_id: str | None) -> None:
        self._events = events
        self._clocks = clocks
        self._clock = VirtualClock(clocks.client, workflow_id, run_id or "")
        self._releases = clocks.manual

    def __getattr__(self, name: str) -> Any:
        return getattr(self._events, name)

    def __aiter__(self) -> AsyncIterator[Any]:
        return self

    async def __anext__(self) -> Any:
        if self._releases:
            self._releases = False
            with contextlib.suppress(CannotAsk):
                await self._clock.release()
        task = asyncio.ensure_future(self._next())
        try:
            while not (await asyncio.wait({task}, timeout=POLL_SECONDS))[0]:
                with contextlib.suppress(RPCError, CannotAsk):
                    await self._clocks.check_awaited(self._clock)
            return task.result()
        finally:
            task.cancel()

    async def _next(self) -> Any:
        return await self._events.__anext__()
