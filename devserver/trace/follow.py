"""Follows open workflows: reads new events as they come, across continue-as-new, retries, resets and children."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

from temporalio.api.common.v1 import WorkflowExecution

from ..errors import CannotAsk, DevServerError
from ..history.model import Step
from ..history.reader import HistoryReader
from ..history.run_builder import RunBuilder
from ..history.run_chain import RunChain
from .follow_events import FollowedRun, FollowEvent, RunClosed, RunFollowed, ServerAway, ServerBack, StepChanged

if TYPE_CHECKING:
    from temporalio.client import Client

T = TypeVar("T")

DESCRIBE_SECONDS = 1.0  # how often runs are described: attempts leave no events
RETRY_SECONDS = 1.0
MAX_CHILDREN = 100
MAX_EVENTS = 1000


class TraceFollower:
    """Follows one workflow until it ends.

    Args:
        depth: Maximum depth of children; None: all. At most 100 open children are followed at a time.
        connect: Makes a new client after an outage, as the server may come back at another address. None: the reader's
            client stays.
    """

    def __init__(
        self, reader: HistoryReader, *, depth: int | None = None, connect: Callable[[], Awaitable[Client]] | None = None
    ) -> None:
        self._reader = reader
        self._depth = depth
        self._connect = connect
        self._reconnecting = asyncio.Lock()
        self._events: asyncio.Queue[FollowEvent | BaseException | None] = asyncio.Queue(MAX_EVENTS)
        self._tasks: set[asyncio.Task[None]] = set()
        self._away = False
        self.root: FollowedRun | None = None

    async def follow(self, chain: RunChain) -> AsyncIterator[FollowEvent]:
        """Events of the newest run of a chain, and of those that follow it, until the last one closes.

        Raises:
            CannotAsk: The workflow was deleted. A server that is away is an event, not an error.
        """
        self.root = self._followed(chain.workflow_id, chain.newest.run_id, 0, number=len(chain.runs))
        self._start(self._follow_root(self.root))
        self._start(self._describe_all())
        try:
            while (event := await self._events.get()) is not None:
                if isinstance(event, BaseException):
                    raise event
                yield event
        finally:
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    def _followed(self, workflow_id: str, run_id: str, depth: int, number: int = 1) -> FollowedRun:
        return FollowedRun(depth, RunBuilder(workflow_id, run_id, self._reader.namespace), number)

    def _start(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(self._guarded(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _guarded(self, work: Awaitable[None]) -> None:
        try:
            await work
        except Exception as error:  # noqa: BLE001 - it is raised in `follow`
            await self._events.put(error)

    async def _follow_root(self, followed: FollowedRun) -> None:
        while True:
            self.root = followed
            await self._run(followed)
            following = followed.run.next
            if following is None:
                await self._events.put(None)
                return
            followed = self._followed(followed.run.workflow_id, following.run_id, 0, followed.number + 1)

    async def _follow_child(self, parent: FollowedRun, step: Step) -> None:
        target = step.target
        if target is None:
            return
        followed = self._followed(target.workflow_id, target.run_id, parent.depth + 1)
        while True:
            parent.children[step.event_id] = followed
            try:
                await self._run(followed)
            except CannotAsk:  # its history is gone
                break
            following = followed.run.next
            if following is None:
                break
            followed = self._followed(followed.run.workflow_id, following.run_id, followed.depth, followed.number + 1)
        parent.children.pop(step.event_id, None)

    async def _run(self, followed: FollowedRun) -> None:
        """Read a run until it closes."""
        run = followed.run
        execution = WorkflowExecution(workflow_id=run.workflow_id, run_id=run.run_id)
        described = await self._answered(lambda: self._reader.calls.describe_workflow(run.workflow_id, run.run_id))
        known_events = described.workflow_execution_info.history_length if described is not None else 0
        token = b""
        while run.open:
            try:
                page = await self._reader.calls.history_page(execution, token=token, wait=True)
            except CannotAsk as error:
                await self._until_back(error)
                token = b""  # another server may not know the token; the builder skips what it has read
                continue
            if page is None:
                raise CannotAsk(f"the run {run.run_id} of the workflow {run.workflow_id} was deleted")
            changed = [followed.builder.add(event) for event in page.history.events]
            steps = {step.event_id: step for step in changed if step is not None}
            await self._report(followed, list(steps.values()), known_events)
            token = page.next_page_token
            if not token and run.open:
                await asyncio.sleep(RETRY_SECONDS)
        await self._answered(lambda: self._reader.refresh(followed.builder))
        await self._events.put(RunClosed(followed))

    async def _report(self, followed: FollowedRun, changed: list[Step], known_events: int) -> None:
        if not followed.seen and followed.run.events < known_events:
            return
        if not followed.seen:
            followed.seen = True
            await self._answered(lambda: self._reader.refresh(followed.builder))
            await self._events.put(RunFollowed(followed))
            changed = followed.builder.steps.open
        else:
            for step in changed:
                await self._events.put(StepChanged(followed, step))
        for step in changed:
            self._descend(followed, step)

    def _descend(self, followed: FollowedRun, step: Step) -> None:
        if not (step.open and step.has_tree) or step.event_id in followed.children:
            return
        deep = self._depth is not None and followed.depth >= self._depth
        elsewhere = step.target is None or step.target.namespace not in ("", self._reader.namespace)
        many = self.root is not None and sum(1 for _ in self.root.all()) > MAX_CHILDREN
        if not (deep or elsewhere or many):
            followed.children[step.event_id] = self._followed(step.id, "", followed.depth + 1)
            self._start(self._follow_child(followed, step))

    async def _describe_all(self) -> None:
        """Describe followed runs again and again, for changes that leave no events."""
        while True:
            await asyncio.sleep(DESCRIBE_SECONDS)
            for followed in list(self.root.all()) if self.root is not None else []:
                if not (followed.seen and followed.run.open and _may_be_retried(followed)):
                    continue
                for step in await self._answered(lambda: self._reader.refresh(followed.builder)):  # noqa: B023
                    await self._events.put(StepChanged(followed, step))

    async def _answered(self, call: Callable[[], Awaitable[T]]) -> T:
        """The answer of a call, however long the server is away."""
        while True:
            try:
                return await call()
            except CannotAsk as error:
                await self._until_back(error)

    async def _until_back(self, error: CannotAsk) -> None:
        if not self._away:
            self._away = True
            await self._events.put(ServerAway(error))
        while self._away:
            await asyncio.sleep(RETRY_SECONDS)
            async with self._reconnecting:  # one task reconnects for all
                if self._away and await self._is_back():
                    self._away = False
                    await self._events.put(ServerBack())

    async def _is_back(self) -> bool:
        with contextlib.suppress(DevServerError):
            if self._connect is not None:
                self._reader.calls.client = await self._connect()
            if self.root is not None:
                # A short call: a long poll would wait for new events first.
                await self._reader.calls.describe_workflow(self.root.run.workflow_id)
            return True
        return False


def _may_be_retried(followed: FollowedRun) -> bool:
    return any(step.kind in ("activity", "nexus", "workflow_task_failure") for step in followed.builder.steps.open)
