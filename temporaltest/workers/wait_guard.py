"""Every wait of a test ends at its limit, or at once when a worker has died."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, TypeVar

from temporalio import client as sdk

from ..errors import CannotComplete, TemporalTestError, WaitTimeout
from .awaited import Awaited

T = TypeVar("T")

POLL_SECONDS = 0.1
DESCRIBE_SECONDS = 5.0
FIRST_LOOK_SECONDS = 0.5
SECOND_LOOK_SECONDS = 0.25
LOOK_FACTOR = 1.4
MAX_LOOK_SECONDS = 4.0


class WaitGuard(sdk.Interceptor):
    """A client interceptor that limits waits for workflows, and notes the workflows that are started.

    Args:
        limit: The limit of a wait, in seconds.
        trouble: Returns why waiting is useless, such as a dead worker; None if it is not.
        describe: Returns the state of the namespace, for the message of a wait that was too long.
        mistake: Returns the mistake that keeps a target open until a time of `time.monotonic`; None if there is none.

    Attributes:
        advance: Lets time pass in a workflow of which an update is awaited; None where it passes by itself.
    """

    def __init__(
        self,
        limit: float,
        trouble: Callable[[], TemporalTestError | None],
        describe: Callable[[], Awaitable[str]],
        mistake: Callable[[Awaited, float], Awaitable[str | None]] | None = None,
    ) -> None:
        self.limit = limit
        self.started: list[tuple[str, str | None]] = []
        self._completed: set[str] = set()
        self._trouble = trouble
        self._describe = describe
        self._mistake = mistake
        self.advance: Callable[[Awaited], Awaitable[None]] | None = None

    def intercept_client(self, next: sdk.OutboundInterceptor) -> sdk.OutboundInterceptor:  # noqa: A002 - the SDK's name
        """The SDK asks each interceptor for its link of the chain."""
        return _Outbound(next, self)

    def maybe_open(self) -> list[tuple[str, str | None]]:
        """The started workflows whose completion no wait has seen; a list of the server may not have them yet."""
        return [(workflow_id, run_id) for workflow_id, run_id in self.started if workflow_id not in self._completed]

    def note_event(self, workflow_id: str, event: Any) -> None:
        """Note an event that ends a wait."""
        completed = event.HasField("workflow_execution_completed_event_attributes")
        if completed and not event.workflow_execution_completed_event_attributes.new_execution_run_id:
            self._completed.add(workflow_id)

    def note_start(self, workflow_id: str, run_id: str | None) -> None:
        """Note a workflow that was started."""
        self.started.append((workflow_id, run_id))
        self._completed.discard(workflow_id)

    async def wait(
        self,
        work: Awaitable[T],
        description: str,
        *,
        until: float | None = None,
        target: Awaited | None = None,
        advances: bool = False,
    ) -> T:
        """The result of `work`. `description` names it in an error; with `advances`, time passes in `target` meanwhile.

        Raises:
            WaitTimeout: It took longer than the limit; the message has the state of every open workflow.
            CannotComplete: A mistake keeps `target` open, such as a workflow type that no worker has.
            WorkerDied, ServerLost: A worker or the server ended meanwhile.
        """
        deadline = time.monotonic() + self.limit if until is None else until
        task = asyncio.ensure_future(work)
        looking = asyncio.ensure_future(self._look(target, deadline)) if target and self._mistake else None
        advancing = asyncio.ensure_future(self.advance(target)) if advances and target and self.advance else None
        try:
            while True:
                done, _ = await asyncio.wait({task}, timeout=min(POLL_SECONDS, max(0, deadline - time.monotonic())))
                trouble = None if done and task.exception() is None else self._trouble()
                if trouble is not None:
                    raise trouble from (task.exception() if done else None)
                if done:
                    return task.result()
                if looking is not None and looking.done():
                    raise CannotComplete(f"{looking.result()}\n{await self._state()}")
                if time.monotonic() >= deadline:
                    raise WaitTimeout(f"waited more than {self.limit:g} s for {description}\n{await self._state()}")
        finally:
            task.cancel()
            task.add_done_callback(lambda ended: ended.cancelled() or ended.exception())  # asyncio reports it otherwise
            for beside in filter(None, (looking, advancing)):
                beside.cancel()

    async def _look(self, target: Awaited, until: float) -> str:
        """Return once the same mistake has been found twice in a row."""
        assert self._mistake is not None  # noqa: S101 - the caller has checked it
        pause, before = FIRST_LOOK_SECONDS, None
        while True:
            await asyncio.sleep(pause)
            found = await self._mistake(target, until)
            if found is not None and found == before:
                return found
            pause = SECOND_LOOK_SECONDS if found is not None else min(LOOK_FACTOR * pause, MAX_LOOK_SECONDS)
            before = found

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
        self._guard.note_start(handle.id, handle.first_execution_run_id)
        return handle

    async def query_workflow(self, input: sdk.QueryWorkflowInput) -> Any:  # noqa: A002
        return await self._guard.wait(
            super().query_workflow(input),
            f"the query {input.query} of {input.id}",
            target=Awaited(input.id, input.run_id, is_call=True),
        )

    async def start_workflow_update(self, input: sdk.StartWorkflowUpdateInput) -> sdk.WorkflowUpdateHandle[Any]:  # noqa: A002
        input.update_id = input.update_id or str(uuid.uuid4())
        return await self._guard.wait(
            super().start_workflow_update(input),
            f"the update {input.update} of {input.id}",
            target=Awaited(input.id, input.run_id, input.update_id, is_call=True),
            advances=input.wait_for_stage == sdk.WorkflowUpdateStage.COMPLETED,
        )

    async def start_update_with_start_workflow(
        self,
        input: sdk.StartWorkflowUpdateWithStartInput,  # noqa: A002
    ) -> sdk.WorkflowUpdateHandle[Any]:
        update = input.update_workflow_input
        update.update_id = update.update_id or str(uuid.uuid4())
        handle = await self._guard.wait(
            super().start_update_with_start_workflow(input),
            "an update with start",
            target=Awaited(input.start_workflow_input.id, None, update.update_id, is_call=True),
            advances=update.wait_for_stage == sdk.WorkflowUpdateStage.COMPLETED,
        )
        self._guard.note_start(handle.workflow_id, handle.workflow_run_id)
        return handle

    def fetch_workflow_history_events(
        self,
        input: sdk.FetchWorkflowHistoryEventsInput,  # noqa: A002
    ) -> sdk.WorkflowHistoryEventAsyncIterator:
        events = super().fetch_workflow_history_events(input)
        if not input.wait_new_event:
            return events
        is_call = input.event_filter_type != sdk.WorkflowHistoryEventFilterType.CLOSE_EVENT
        bounded: Any = _BoundedEvents(events, self._guard, Awaited(input.id, input.run_id, is_call=is_call))
        return bounded  # type: ignore[no-any-return]


class _BoundedEvents:
    """The SDK's iterator over events, with a limit for its waits."""

    def __init__(self, events: Any, guard: WaitGuard, target: Awaited) -> None:
        self._events = events
        self._guard = guard
        self._target = target
        self._until = time.monotonic() + guard.limit

    def __getattr__(self, name: str) -> Any:
        return getattr(self._events, name)

    def __aiter__(self) -> AsyncIterator[Any]:
        return self

    async def __anext__(self) -> Any:
        workflow_id = self._target.workflow_id
        event = await self._guard.wait(
            self._next(), f"the workflow {workflow_id}", until=self._until, target=self._target
        )
        self._guard.note_event(workflow_id, event)
        return event

    async def _next(self) -> Any:
        return await self._events.__anext__()
