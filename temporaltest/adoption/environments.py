"""Environments on the shared server that behave as those that the SDK starts."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from temporalio.testing import WorkflowEnvironment

from ..workflows.environment import Environment, Handle

if TYPE_CHECKING:
    from temporalio.api.common.v1 import TimeSkippingInfo

    from ..isolation.context import CaseContext


class AdoptedEnvironment(Environment):
    """As `start_local` and `from_client` give one: in real time. `shutdown` ends its workflows, not the server."""

    def __init__(self, case: CaseContext, close: Callable[[CaseContext], None]) -> None:
        super().__init__(case)
        self._close = close

    async def __aexit__(self, *error: Any) -> None:
        """Shut down; keep what an exception is about for the report of the test."""
        if error and isinstance(error[0], type):
            with contextlib.suppress(Exception):
                await asyncio.to_thread(self._case.checks.keep_report)
        await self.shutdown()

    async def shutdown(self) -> None:
        """End what is open in the environment's namespace; a second call does nothing."""
        await asyncio.to_thread(self._close, self._case)

    @property
    def supports_time_skipping_v2(self) -> bool:
        """As the SDK says it."""
        return False

    async def fast_forward(self, handle: Handle, duration: timedelta | float | None = None, /) -> bool:
        """Raise the SDK's error: only an environment of `start_time_skipping_v2` has this."""
        return await WorkflowEnvironment.fast_forward(self, handle, duration)

    async def get_time_skipping_info(self, handle: Handle) -> TimeSkippingInfo | None:
        """Raise the SDK's error: only an environment of `start_time_skipping_v2` has this."""
        return await WorkflowEnvironment.get_time_skipping_info(self, handle)

    @contextlib.contextmanager
    def with_time_skipping_disabled(self) -> Iterator[None]:
        """Do nothing, as in the SDK: only an environment of `start_time_skipping_v2` has this."""
        yield


class AdoptedTimeSkippingEnvironment(AdoptedEnvironment):
    """As `start_time_skipping` gives one. The clocks of workflows move during `sleep` and waits for their results."""

    @property
    def supports_time_skipping_v1(self) -> bool:
        """As the SDK says it."""
        return True

    @contextlib.contextmanager
    def auto_time_skipping_disabled(self) -> Iterator[None]:
        """Workflows that start, or are waited for, in the block run in real time."""
        with Environment.with_time_skipping_disabled(self):
            yield


class AdoptedWorkflowClocksEnvironment(AdoptedEnvironment):
    """As `start_time_skipping_v2` gives one: each workflow has a clock, which skips as soon as nothing is in flight."""

    def __init__(self, case: CaseContext, close: Callable[[CaseContext], None], config: Any) -> None:
        super().__init__(case, close)
        assert case.clocks is not None  # noqa: S101 - the case requires time skipping
        case.clocks.automatic = True
        case.clocks.skipper.config = config

    @property
    def supports_time_skipping_v2(self) -> bool:
        """As the SDK says it."""
        return True

    async def sleep(self, duration: timedelta | float) -> None:
        """Raise the SDK's error: a clock belongs to a workflow."""
        raise RuntimeError(
            "env.sleep is not supported in time-skipping V2 environments; use env.fast_forward(handle, duration) on a "
            "specific workflow."
        )

    async def get_current_time(self, handle: Handle | None = None) -> datetime:
        """The workflow's time; as in the SDK, a handle is required."""
        if handle is None:
            raise RuntimeError(
                "env.get_current_time requires a workflow handle in time-skipping V2 environments; each workflow has "
                "its own virtual clock."
            )
        return await self._skipper("get_current_time").get_current_time(handle)

    async def fast_forward(self, handle: Handle, duration: timedelta | float | None = None, /) -> bool:
        """Move one workflow's clock, or to its end if `duration` is None; False if the workflow ended first."""
        return await Environment.fast_forward(self, handle, duration)

    async def get_time_skipping_info(self, handle: Handle) -> TimeSkippingInfo | None:
        """The server's description of a workflow's clock."""
        return await Environment.get_time_skipping_info(self, handle)

    @contextlib.contextmanager
    def auto_time_skipping_disabled(self) -> Iterator[None]:
        """Raise the SDK's error: `with_time_skipping_disabled` is meant."""
        raise RuntimeError(
            "env.auto_time_skipping_disabled is not supported in time-skipping V2 environments; use "
            "env.with_time_skipping_disabled() to suspend time-skipping config stamping on newly-started workflows."
        )

    @contextlib.contextmanager
    def with_time_skipping_disabled(self) -> Iterator[None]:
        """Workflows that start in the block have no virtual clock."""
        with self._skipper("with_time_skipping_disabled").with_time_skipping_disabled():
            yield
