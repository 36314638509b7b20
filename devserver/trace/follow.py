"""Follows open workflows: reads new events as they come, across continue-as-new, retries and resets, and children."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from typing import TypeVar

from temporalio.api.common.v1 import WorkflowExecution
from temporalio.client import Client

from ..errors import CannotAsk, DevServerError
from ..history.model import Step, WorkflowRun
from ..history.reader import HistoryReader
from ..history.run_builder import RunBuilder
from ..history.run_chain import RunChain

T = TypeVar("T")

# Attempts leave no events: the server is asked for them so often.
LOOK_SECONDS = 1.0
AGAIN_SECONDS = 1.0
MOST_CHILDREN = 100
MOST_NEWS = 1000


@dataclass(eq=False)
class FollowedRun:
    """A run that is followed, and those of its children that are open.

    Attributes:
        number: 1 for the first run that was followed, 2 for the one after it, ...
        seen: Whether all that was there at first has been read.
    """

    depth: int
    builder: RunBuilder
    number: int = 1
    seen: bool = False
    children: dict[int, FollowedRun] = field(default_factory=dict)

    @property
    def run(self) -> WorkflowRun:
        """As far as it is known."""
        return self.builder.run

    def all(self) -> Iterator[FollowedRun]:
        """This one and all below it."""
        yield self
        for child in list(self.children.values()):
            yield from child.all()


@dataclass(frozen=True)
class RunFollowed:
    """A run is followed from now on; its steps so far are there."""

    live: FollowedRun


@dataclass(frozen=True)
class StepChanged:
    """A step was opened, has changed, or is over."""

    live: FollowedRun
    step: Step


@dataclass(frozen=True)
class RunClosed:
    """A run is over; where there is a next one, that is followed."""

    live: FollowedRun


@dataclass(frozen=True)
class ServerAway:
    """The server gives no answer; it is asked on. Told once."""

    error: CannotAsk


@dataclass(frozen=True)
class ServerBack:
    """The server answers again."""


FollowEvent = RunFollowed | StepChanged | RunClosed | ServerAway | ServerBack


class TraceFollower:
    """Follows one workflow until it ends.

    Args:
        depth: Levels of children; None: all. At most 100 open children are followed at a time.
        connect: Makes a new client for a server that went away: it may come back at another address. None: the
            tracer's client is asked on.
    """

    def __init__(
        self, reader: HistoryReader, *, depth: int | None = None, connect: Callable[[], Awaitable[Client]] | None = None
    ) -> None:
        self._reader = reader
        self._depth = depth
        self._connect = connect
        self._asking = asyncio.Lock()
        self._news: asyncio.Queue[FollowEvent | BaseException | None] = asyncio.Queue(MOST_NEWS)
        self._tasks: set[asyncio.Task[None]] = set()
        self._away = False
        self.root: FollowedRun | None = None

    async def follow(self, chain: RunChain) -> AsyncIterator[FollowEvent]:
        """What happens to the newest run of a chain, and to those after it, until the last one has ended.

        Raises:
            CannotAsk: The workflow is no longer there. A server that is away is no error, but news.
        """
        link = chain.newest
        self.root = self._live(chain.workflow_id, link.run_id, 0, number=len(chain.runs))
        self._start(self._follow_root(self.root))
        self._start(self._look())
        try:
            while (news := await self._news.get()) is not None:
                if isinstance(news, BaseException):
                    raise news
                yield news
        finally:
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    def _live(self, workflow_id: str, run_id: str, depth: int, number: int = 1) -> FollowedRun:
        return FollowedRun(depth, RunBuilder(workflow_id, run_id, self._reader.namespace), number)

    def _start(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(self._guarded(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _guarded(self, work: Awaitable[None]) -> None:
        try:
            await work
        except Exception as error:  # noqa: BLE001 - it is raised where the news are read
            await self._news.put(error)

    async def _follow_root(self, live: FollowedRun) -> None:
        while True:
            self.root = live
            await self._run(live)
            following = live.run.next
            if following is None:
                await self._news.put(None)
                return
            live = self._live(live.run.workflow_id, following.run_id, 0, live.number + 1)

    async def _follow_child(self, parent: FollowedRun, step: Step) -> None:
        target = step.target
        if target is None:
            return
        live = self._live(target.workflow_id, target.run_id, parent.depth + 1)
        while True:
            parent.children[step.event_id] = live
            try:
                await self._run(live)
            except CannotAsk:  # its history is gone
                break
            following = live.run.next
            if following is None:
                break
            live = self._live(live.run.workflow_id, following.run_id, live.depth, live.number + 1)
        parent.children.pop(step.event_id, None)

    async def _run(self, live: FollowedRun) -> None:
        """Read a run until it is over."""
        run = live.run
        execution = WorkflowExecution(workflow_id=run.workflow_id, run_id=run.run_id)
        described = await self._answered(lambda: self._reader.calls.describe_workflow(run.workflow_id, run.run_id))
        upto = described.workflow_execution_info.history_length if described is not None else 0
        token = b""
        while run.open:
            try:
                page = await self._reader.calls.history_page(execution, token=token, wait=True)
            except CannotAsk as error:
                await self._until_back(error)
                token = b""  # another server may not know it; what was read before is passed over
                continue
            if page is None:
                raise CannotAsk(f"the workflow {run.workflow_id} is gone: the server has deleted its run {run.run_id}")
            changed = [live.builder.add(event) for event in page.history.events]
            steps = {step.event_id: step for step in changed if step is not None}
            await self._tell(live, list(steps.values()), upto)
            token = page.next_page_token
            if not token and run.open:
                await asyncio.sleep(AGAIN_SECONDS)
        await self._answered(lambda: self._reader.refresh(live.builder))
        await self._news.put(RunClosed(live))

    async def _tell(self, live: FollowedRun, changed: list[Step], upto: int) -> None:
        if not live.seen and live.run.events < upto:
            return
        if not live.seen:
            live.seen = True
            await self._answered(lambda: self._reader.refresh(live.builder))
            await self._news.put(RunFollowed(live))
            changed = live.builder.steps.open
        else:
            for step in changed:
                await self._news.put(StepChanged(live, step))
        for step in changed:
            self._descend(live, step)

    def _descend(self, live: FollowedRun, step: Step) -> None:
        if not (step.open and step.has_tree) or step.event_id in live.children:
            return
        deep = self._depth is not None and live.depth >= self._depth
        elsewhere = step.target is None or step.target.namespace not in ("", self._reader.namespace)
        many = self.root is not None and sum(1 for _ in self.root.all()) > MOST_CHILDREN
        if not (deep or elsewhere or many):
            live.children[step.event_id] = self._live(step.id, "", live.depth + 1)
            self._start(self._follow_child(live, step))

    async def _look(self) -> None:
        """Ask for what leaves no events."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            for live in list(self.root.all()) if self.root is not None else []:
                if not (live.seen and live.run.open and _may_be_retried(live)):
                    continue
                for step in await self._answered(lambda: self._reader.refresh(live.builder)):  # noqa: B023
                    await self._news.put(StepChanged(live, step))

    async def _answered(self, ask: Callable[[], Awaitable[T]]) -> T:
        """The answer, however long the server is away."""
        while True:
            try:
                return await ask()
            except CannotAsk as error:
                await self._until_back(error)

    async def _until_back(self, error: CannotAsk) -> None:
        if not self._away:
            self._away = True
            await self._news.put(ServerAway(error))
        while self._away:
            await asyncio.sleep(AGAIN_SECONDS)
            async with self._asking:  # one asks for all that are followed
                if self._away and await self._is_back():
                    self._away = False
                    await self._news.put(ServerBack())

    async def _is_back(self) -> bool:
        with contextlib.suppress(DevServerError):
            if self._connect is not None:
                self._reader.calls.client = await self._connect()
            if self.root is not None:
                # A short question: one that waits for new events would wait first, and tell late that it was heard.
                await self._reader.calls.describe_workflow(self.root.run.workflow_id)
            return True
        return False


def _may_be_retried(live: FollowedRun) -> bool:
    return any(step.kind in ("activity", "nexus", "workflow_task_failure") for step in live.builder.steps.open)
