"""Every wait of a test ends at its limit, or at once when a worker has died."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, TypeVar

from temporalio import client as sdk

from ..errors import TemporalTestError, WaitTimeout

T = TypeVar("T")

POLL_SECONDS = 0.1
DESCRIBE_SECONDS = 5.0


class WaitGuard(sdk.Interceptor):
    """A client interceptor that limits waits for workflows, and notes the workflows that are started.

    Args:
        limit: The limit of a wait, in seconds.
        trouble: Returns why waiting is useless, such as a dead worker; None if it is not.
        describe: Returns the state of the namespace, for the message of a wait that was too long.
    """

    def __init__(
        self,
        limit: float,
        trouble: Callable[[], TemporalTestError | None],
        describe: Callable[[], Awaitable[str]],
    ) -> None:
        self.limit = limit
        self.started: list[tuple[str, str | None]] = []
        self._trouble = trouble
        self._describe = describe

    def intercept_client(self, next: sdk.OutboundInterceptor) -> sdk.OutboundInterceptor:  # noqa: A002 - the SDK's name
        """The SDK asks each interceptor for its link of the chain."""
        return _Outbound(next, self)

    async def wait(self, work: Awaitable[T], description: str, *, until: float | None = None) -> T:
        """The result of `work`. `description` names it in an error.

        Raises:
            WaitTimeout: It took longer than the limit; the message has the state of every open workflow.
            WorkerDied, ServerLost: A worker or the server ended meanwhile.
        """
        deadline = time.monotonic() + self.limit if until is None else until
        task = asyncio.ensure_future(work)
        try:
            while True:
                done, _ = await asyncio.wait({task}, timeout=min(POLL_SECONDS, max(0, deadline - time.monotonic())))
                trouble = None if done and task.exception() is None else self._trouble()
                if trouble is not None:
                    raise trouble from (task.exception() if done else None)
                if done:
                    return task.result()
                if time.monotonic() >= deadline:
                    raise WaitTimeout(f"waited more than {self.limit:g} s for {description}\n{await self._state()}")
        finally:
            task.cancel()

    async def _state(self) -> str:
        describing = asyncio.ensure_future(self._describe())
        try:
            # Not wait_for, which waits until a cancelled task has ended.
            done, _ = await asyncio.wait({describing}, timeout=DESCRIBE_SECONDS)
            if not done:
                describing.cancel()
                return f"(the server did not describe its workflows within {DESCRIBE_SECONDS:g} s)"
            return describing.result()
        except Exception as error:  # noqa: BLE001 - the timeout matters, not why it cannot be explained
            return f"(the state of the workflows is unknown: {error!r})"


class _Outbound(sdk.OutboundInterceptor):
    def __init__(self, next: sdk.OutboundInterceptor, guard: WaitGuard) -> None:  # noqa: A002 - the SDK's name
        super().__init__(next)
        self._guard = guard

    async def start_workflow(self, input: sdk.StartWorkflowInput) -> sdk.WorkflowHandle[Any, Any]:  # noqa: A002
        handle = await super().start_workflow(input)
        self._guard.started.append((handle.id, handle.first_execution_run_id))
        return handle

    async def query_workflow(self, input: sdk.QueryWorkflowInput) -> Any:  # noqa: A002
        return await self._guard.wait(super().query_workflow(input), f"the query {input.query} of {input.id}")

    async def start_workflow_update(self, input: sdk.StartWorkflowUpdateInput) -> sdk.WorkflowUpdateHandle[Any]:  # noqa: A002
        return await self._guard.wait(super().start_workflow_update(input), f"the update {input.update} of {input.id}")

    async def start_update_with_start_workflow(
        self,
        input: sdk.StartWorkflowUpdateWithStartInput,  # noqa: A002
    ) -> sdk.WorkflowUpdateHandle[Any]:
        handle = await self._guard.wait(super().start_update_with_start_workflow(input), "an update with start")
        self._guard.started.append((handle.workflow_id, handle.workflow_run_id))
        return handle

    def fetch_workflow_history_events(
        self,
        input: sdk.FetchWorkflowHistoryEventsInput,  # noqa: A002
    ) -> sdk.WorkflowHistoryEventAsyncIterator:
        events = super().fetch_workflow_history_events(input)
        if not input.wait_new_event:
            return events
        bounded: Any = _BoundedEvents(events, self._guard, f"the workflow {input.id}")
        return bounded  # type: ignore[no-any-return]


class _BoundedEvents:
    """The SDK's iterator over events, with a limit for its waits."""

    def __init__(self, events: Any, guard: WaitGuard, description: str) -> None:
        self._events = events
        self._guard = guard
        self._description = description
        self._until = time.monotonic() + guard.limit

    def __getattr__(self, name: str) -> Any:
        return getattr(self._events, name)

    def __aiter__(self) -> AsyncIterator[Any]:
        return self

    async def __anext__(self) -> Any:
        return await self._guard.wait(self._next(), self._description, until=self._until)

    async def _next(self) -> Any:
        return await self._events.__anext__()
