"""Following a workflow: changes are reported as they happen, across runs and server outages."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

from temporalio.client import Client, WorkflowFailureError
from temporalio.common import RetryPolicy

from devserver import DevServer
from devserver.executables.models import Executable
from devserver.history import HistoryReader
from devserver.trace.follow import TraceFollower
from devserver.trace.follow_events import (
    FollowEvent,
    RunClosed,
    RunFollowed,
    ServerAway,
    ServerBack,
    StepChanged,
)
from tests.helpers.shared_server import SharedServer
from tests.helpers.traced import QUEUE, Attempts, Everything, Waits, make_endpoint, worker

LIMIT = 180.0


def run(story: Callable[[Client, HistoryReader], Awaitable[None]], server: DevServer | SharedServer) -> None:
    """Run a test with a client of the server, a tracer and a worker."""

    async def with_client() -> None:
        client = await Client.connect(server.address, namespace=server.namespace)
        async with worker(client):
            await asyncio.wait_for(story(client, HistoryReader(client)), LIMIT)

    asyncio.run(with_client())


async def start(client: Client, what: Any, *args: Any, id: str, **how: Any) -> Any:  # noqa: A002 - as the SDK calls it
    """Start a workflow on the queue of `worker`."""
    return await client.start_workflow(what, args=args, id=id, task_queue=QUEUE, **how)


async def news_until(news: AsyncIterator[FollowEvent], fits: Callable[[FollowEvent], bool]) -> list[FollowEvent]:
    """Return the news up to the first that matches."""
    seen: list[FollowEvent] = []
    async for event in news:
        seen.append(event)
        if fits(event):
            return seen
    raise AssertionError(f"it has ended before: {seen}")


def short(news: list[FollowEvent]) -> list[tuple[str, ...]]:
    """Return the news on runs in short."""
    runs = [event for event in news if isinstance(event, (RunFollowed, RunClosed))]
    return [(type(run).__name__, run.followed.run.workflow_id, run.followed.run.status) for run in runs]


def test_from_start_to_end(server: SharedServer) -> None:
    """Steps are reported as they open and close, children as separate runs; it ends with the workflow."""

    async def story(client: Client, reader: HistoryReader) -> None:
        await make_endpoint(client)
        handle = await start(client, Everything.run, id="all")
        follower = TraceFollower(reader)
        news = follower.follow(await reader.chain("all"))
        seen = await news_until(news, lambda each: isinstance(each, RunFollowed))
        await handle.signal(Everything.tell, "go")
        seen += [event async for event in news]
        changed = [(event.step.kind, event.step.status) for event in seen if isinstance(event, StepChanged)]
        assert {("signal", "completed"), ("child", "completed"), ("nexus", "completed")} <= set(changed)
        assert short(seen)[0][1] == "all"
        assert short(seen)[-1] == ("RunClosed", "all", "completed")
        assert ("RunFollowed", "all-waits") in {summary[:2] for summary in short(seen)}
        assert follower.root is not None
        assert follower.root.run.status == "completed"

    run(story, server)


def test_across_runs(server: SharedServer) -> None:
    """Continue-as-new, retries and a reset are followed; only the last run's close ends it."""

    async def story(client: Client, reader: HistoryReader) -> None:
        again = await start(client, Waits.run, "again", id="again")
        news = TraceFollower(reader).follow(await reader.chain("again"))
        await news_until(news, lambda each: isinstance(each, RunFollowed))
        await again.signal(Waits.go)
        await news_until(news, lambda each: isinstance(each, RunFollowed) and each.followed.number == 2)
        await client.get_workflow_handle("again").signal(Waits.go)
        assert short([event async for event in news])[-1] == ("RunClosed", "again", "completed")

        policy = RetryPolicy(initial_interval=timedelta(milliseconds=100), maximum_attempts=3)
        await start(client, Attempts.run, 9, id="retried", retry_policy=policy)
        seen = [event async for event in TraceFollower(reader).follow(await reader.chain("retried"))]
        closed = [event.followed.run for event in seen if isinstance(event, RunClosed)]
        assert (closed[-1].attempt, closed[-1].status, closed[-1].next) == (3, "failed", None)
        with contextlib.suppress(WorkflowFailureError):
            await client.get_workflow_handle("retried").result()

    run(story, server)


def test_attempts_are_reported(server: SharedServer) -> None:
    """A new attempt is reported, although it leaves no event in the history."""

    async def story(client: Client, reader: HistoryReader) -> None:
        handle = await start(client, Waits.run, "child", id="waits")
        news = TraceFollower(reader).follow(await reader.chain("waits"))
        await news_until(news, lambda each: isinstance(each, RunFollowed))
        await handle.terminate()
        handle = await start(client, Waits.run, "retry", id="retry")
        news = TraceFollower(reader).follow(await reader.chain("retry"))
        await news_until(
            news,
            lambda each: (
                any(step.status == "backing_off" for step in each.followed.run.steps)
                if isinstance(each, (RunFollowed, StepChanged))
                else False
            ),
        )
        await handle.terminate()
        assert short([event async for event in news])[-1] == ("RunClosed", "retry", "terminated")

    run(story, server)


def test_server_outage(installed: Executable, tmp_path: Path) -> None:
    """The outage and its end are reported once each; nothing that happened meanwhile is lost."""

    async def story(client: Client, reader: HistoryReader) -> None:
        handle = await start(client, Waits.run, "child", id="waits")
        news = TraceFollower(reader).follow(await reader.chain("waits"))
        await news_until(news, lambda each: isinstance(each, RunFollowed))
        await asyncio.to_thread(server.kill)
        away = await news_until(news, lambda each: isinstance(each, ServerAway))
        assert isinstance(away[-1], ServerAway)
        assert server.address in away[-1].error.message
        await asyncio.to_thread(server.restart)
        assert isinstance(
            (await news_until(news, lambda each: isinstance(each, (ServerAway, ServerBack))))[-1], ServerBack
        )
        await handle.signal(Waits.go)
        seen = [event async for event in news]
        assert short(seen)[-1] == ("RunClosed", "waits", "completed")

    with DevServer.start(ui=False, database=tmp_path / "t.db") as server:
        run(story, server)
