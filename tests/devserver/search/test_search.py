"""`Search` on the real server: it finds what happened, in closed and in open runs."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from temporalio.api.common.v1 import Payload
from temporalio.client import Client, WorkflowFailureError, WorkflowHandle
from temporalio.converter import DataConverter, DefaultFailureConverterWithEncodedAttributes, PayloadCodec

from devserver import DevServer
from devserver.errors import CannotAsk, OptionError
from devserver.search import Attempts, Hit, Search, SearchQuery, event_number
from devserver.search import search as searching
from devserver.search.cluster_identity import identity
from tests.helpers import traced
from tests.helpers.searched import QUEUE, WORKER, Many, Pays, Waits, worker
from tests.helpers.shared_server import SharedServer

LIMIT = 120.0
HOUR = timedelta(hours=1)
DECLINED = "card_declined 402 for 17.5%"


def run(server: DevServer | SharedServer, story: Callable[[Client], Awaitable[None]], **how: Any) -> None:
    """Run a test with a client of the server, within a limit."""

    async def with_client() -> None:
        await asyncio.wait_for(story(await Client.connect(server.address, namespace=server.namespace, **how)), LIMIT)

    asyncio.run(with_client())


async def hits(
    client: Client, folder: Path | None = None, how: dict[str, Any] | None = None, **conditions: Any
) -> list[Hit]:
    """Return all hits."""
    return [hit async for hit in Search(client, SearchQuery(**conditions), folder=folder, **(how or {}))]


async def wait_for_closed_runs(client: Client, count: int) -> None:
    """Wait until the server lists this many closed runs: its list is a little behind."""
    while (await client.count_workflows("CloseTime IS NOT NULL")).count < count:
        await asyncio.sleep(0.02)


async def pays(client: Client, workflow_id: str, *args: Any, what: Any = Pays.run) -> WorkflowHandle[Any, Any]:
    """Run a workflow to its end, successful or not."""
    handle: WorkflowHandle[Any, Any] = await client.start_workflow(what, args=args, id=workflow_id, task_queue=QUEUE)
    with contextlib.suppress(WorkflowFailureError):
        await handle.result()
    return handle


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder of the index."""
    return tmp_path / "index"


def brief(found: Sequence[Hit]) -> list[tuple[str, str, str]]:
    """Return workflow id, name and state of each hit."""
    return [(hit.workflow_id, hit.name, hit.state) for hit in found]


CHARGED = ("declined", "charge", "failed")
RETRIED = ("retried", "charge", "completed")
PACKED = [("retried", "pack", "completed"), ("declined", "pack", "completed")]


def test_every_condition(server: SharedServer, folder: Path) -> None:
    """Activity, event, failure, attempts, duration, worker, build, time, type, status and query all select steps."""
    now = datetime.now(timezone.utc)

    async def story(client: Client) -> None:
        async with worker(client):
            await pays(client, "declined", DECLINED)
            await pays(client, "retried", "the bank is busy", 3)
            await pays(client, "many", "no", 2, what=Many.run)
        await wait_for_closed_runs(client, 3)

        async def found(**conditions: Any) -> list[tuple[str, str, str]]:
            first = brief(await hits(client, folder, **conditions))
            assert brief(await hits(client, folder, **conditions)) == first, "the index answers as the server"
            assert brief(await hits(client, **conditions)) == first, "and so it does without an index"
            return first

        assert await found(activity="pack") == PACKED
        assert await found(activity="p*k") == PACKED
        assert await found(activity="pac") == []
        assert await found(failure="CARD_declined 402") == [CHARGED]
        assert await found(failure="17.5%") == [CHARGED]
        assert await found(failure="cardXdeclined") == []
        assert await found(failure="4") == [CHARGED]
        assert await found(text="the bank is closed", attempts=Attempts(">=", 3)) == [RETRIED, CHARGED]
        assert await found(text="Pay", events=[event_number("WorkflowExecutionStarted")]) == [
            ("retried", "Pays", "completed"),
            ("declined", "Pays", "completed"),
        ]
        assert await found(events=[event_number("ActivityTaskFailed")], workflow_type="Pays") == [CHARGED]
        assert await found(activity="charge", events=[event_number("ActivityTaskCompleted")]) == [RETRIED]
        assert await found(activity="charge", attempts=Attempts("<", 2), status="Failed") == [
            ("many", "charge", "failed"),
            ("many", "charge", "failed"),
        ]
        assert await found(activity="pack", events=[event_number("ActivityTaskStarted")]) == PACKED
        assert await found(activity="pack", failure="402") == []
        assert await found(activity="charge", longer=3600.0) == []
        assert len(await found(activity="charge", shorter=3600.0)) == 4
        assert len(await found(activity="*", worker="worker-7*", build="build-1")) == 6
        assert await found(activity="*", worker="worker-7") == []
        assert await found(activity="*", build="build-2") == []
        assert len(await found(activity="pack", since=now - HOUR, until=now + HOUR)) == 2
        assert await found(activity="pack", since=now + HOUR) == await found(activity="pack", until=now - HOUR) == []
        assert await found(status="Failed") == [("many", "Many", "failed")]
        assert await found(query="WorkflowId = 'retried'", activity="pack") == PACKED[:1]
        assert await found(open=True) == []
        assert len(await found(open=False)) == 3

        async def near(**conditions: Any) -> Sequence[str]:
            search = Search(client, SearchQuery(**conditions), folder=folder)
            assert [hit async for hit in search] == []
            return search.near

        assert list(await near(activity="pakc")) == ["pack"]
        assert list(await near(activity="pack", longer=3600.0)) == [], "it is spelled right"
        assert list(await near(activity="pac*", longer=3600.0)) == []

    run(server, story)


def test_the_content_of_a_hit(server: SharedServer) -> None:
    """A hit has time, place, attempt, duration, worker and the failure with its causes; for an event search, the
    event."""

    async def story(client: Client) -> None:
        async with worker(client):
            handle = await pays(client, "declined", DECLINED)
        await wait_for_closed_runs(client, 1)
        (hit,) = await hits(client, failure="402")
        assert (hit.workflow_id, hit.run_id, hit.workflow_type) == ("declined", handle.first_execution_run_id, "Pays")
        assert (hit.kind, hit.name, hit.id, hit.state, hit.attempt) == ("activity", "charge", "1", "failed", 3)
        assert (hit.event, hit.worker, hit.build) == ("ActivityTaskFailed", WORKER, "build-1")
        assert hit.seconds is not None
        assert 0.02 <= hit.seconds < LIMIT
        assert abs(hit.at - datetime.now(timezone.utc)) < HOUR
        assert hit.last_failure == "ValueError: the bank is closed"
        assert hit.failure[0] == f"CardError: {DECLINED}"
        events = {event.event_id: event async for event in handle.fetch_history_events()}
        assert events[hit.event_id].HasField("activity_task_failed_event_attributes")
        (hit,) = await hits(client, failure="402", events=[event_number("ActivityTaskScheduled")])
        assert (hit.event, hit.event_id, hit.state) == ("ActivityTaskScheduled", 5, "failed")
        failed = await hits(client, events=[event_number("WorkflowTaskCompleted")])
        assert {(hit.kind, hit.seconds is not None) for hit in failed} == {("workflow_task", True)}

    run(server, story)


def test_every_step_of_a_busy_workflow_is_found(server: SharedServer) -> None:
    """Timers, signals, updates, children, local activities, patches and cancellations are found by name, with their
    outcome."""

    async def story(client: Client) -> None:
        await traced.make_endpoint(client)
        async with traced.worker(client):
            handle = await client.start_workflow(traced.Everything.run, id="busy", task_queue=traced.QUEUE)
            await handle.execute_update(traced.Everything.ask, "why")
            with contextlib.suppress(Exception):
                await handle.execute_update(traced.Everything.ask, "no")
            await handle.signal(traced.Everything.tell, "done")
            await handle.result()
        await wait_for_closed_runs(client, 6)
        steps = await hits(client, query="WorkflowId = 'busy'", shorter=3600.0, how={"limit": 1000})
        found = {(hit.kind, hit.name, hit.state) for hit in steps}
        assert found >= {
            ("workflow", "Everything", "completed"),
            ("activity", "greet", "completed"),
            ("activity", "flaky", "failed"),
            ("local_activity", "greet", "completed"),
            ("timer", "", "fired"),
            ("child", "Leaf", "failed"),
            ("update", "ask", "completed"),
            ("nexus", "Shop.buy", "completed"),
            ("external", "", "failed"),
            ("external", "go", "completed"),
        }
        assert not {"workflow_task", "signal"} & {hit.kind for hit in steps}, "well, and of no duration"
        assert {hit.attempt for hit in await hits(client, attempts=Attempts("<", 2))} == {1}
        (signal,) = await hits(client, text="tell")
        assert (signal.kind, signal.name, signal.state, signal.seconds) == ("signal", "tell", "event", None)
        of_busy: Any = {"query": "WorkflowId = 'busy'", "activity": "greet"}
        assert [hit.kind for hit in await hits(client, since=signal.at, **of_busy)] == ["local_activity"]
        assert [hit.kind for hit in await hits(client, until=signal.at, **of_busy)] == ["activity"]
        (patch,) = await hits(client, events=[event_number("MarkerRecorded")], text="patch")
        assert patch.kind == "marker"
        local = await hits(client, activity="greet", events=[event_number("MARKER_RECORDED")])
        assert [hit.kind for hit in local] == ["local_activity"]
        (asked,) = await hits(client, failure="asked too much")
        assert (asked.kind, asked.event) == ("update", "WorkflowExecutionUpdateCompleted")
        assert [hit.state for hit in await hits(client, status="ContinuedAsNew")] == ["continued_as_new"]

    run(server, story)


def test_closed_runs_are_read_once(server: SharedServer, folder: Path) -> None:
    """A second search reads no history of a closed run from the server; after --rebuild it does."""

    async def story(client: Client) -> None:
        async with worker(client):
            for number in range(12):
                await pays(client, f"order-{number}", DECLINED)
        await wait_for_closed_runs(client, 12)

        async def search(**how: Any) -> Search:
            search = Search(client, SearchQuery(failure="402"), folder=folder, **how)
            found = [hit async for hit in search]
            assert [hit.workflow_id for hit in found] == [f"order-{number}" for number in reversed(range(12))]
            return search

        first = await search()
        assert (first.progress.done, first.progress.read, first.progress.events > 100) == (12, 12, True)
        assert (await search()).progress == replace(first.progress, read=0, events=0)
        assert (await search(rebuild=True)).progress.read == 12
        seen: list[Any] = []
        watched = await search(rebuild=True, watch=seen.append)
        assert watched.progress == seen[-1]
        assert seen[-1].total == 12
        few = Search(client, SearchQuery(failure="402"), folder=folder, limit=5)
        assert (len([hit async for hit in few]), few.more) == (5, True)
        all_of_them = Search(client, SearchQuery(failure="402"), folder=folder, limit=12)
        assert (len([hit async for hit in all_of_them]), all_of_them.more) == (12, False)

    run(server, story)


def test_open_runs_are_current(server: SharedServer, folder: Path) -> None:
    """A retrying activity is found with its attempts and last failure, which are not in the history yet."""

    async def story(client: Client) -> None:
        async with worker(client):
            handle = await client.start_workflow(Waits.run, DECLINED, id="waits", task_queue=QUEUE)
            while not (found := await hits(client, folder, failure="402", open=True)):
                await asyncio.sleep(0.02)
            (hit,) = found
            assert (hit.name, hit.state, hit.attempt, hit.event) == ("charge", "waiting", 2, "ActivityTaskScheduled")
            assert (hit.worker, hit.last_failure) == (WORKER, "ValueError: the bank is closed")
            assert await hits(client, folder, activity="charge", longer=3600.0) == []
            await handle.terminate(reason="no longer wanted")
        await wait_for_closed_runs(client, 1)
        (hit,) = await hits(client, folder, activity="charge")
        assert (hit.state, hit.seconds is not None) == ("unfinished", True)
        (ended,) = await hits(client, folder, text="no longer wanted")
        assert (ended.kind, ended.state, ended.event) == ("workflow", "terminated", "WorkflowExecutionTerminated")

    run(server, story)


class Rot(PayloadCodec):
    """A codec without a secret."""

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Reverse the payloads."""
        return [Payload(metadata={"encoding": b"rot"}, data=payload.SerializeToString()[::-1]) for payload in payloads]

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Reverse them again."""
        return [Payload.FromString(payload.data[::-1]) for payload in payloads]


def test_encoded_failures(server: SharedServer, folder: Path) -> None:
    """Without the codec everything but the text is searchable; with it the text is too, and is never stored."""
    encoding = DataConverter(payload_codec=Rot(), failure_converter_class=DefaultFailureConverterWithEncodedAttributes)

    async def story(client: Client) -> None:
        plain = await server.connect()
        async with worker(client):
            await pays(client, "secret", DECLINED)
        await wait_for_closed_runs(client, 1)
        assert await hits(plain, folder, failure="402") == []
        (hit,) = await hits(plain, folder, events=[event_number("ActivityTaskFailed")])
        assert hit.last_failure.endswith("(encoded: this client has no codec that reads it)")
        assert len(await hits(plain, folder, failure="encoded")) == 1
        (hit,) = await hits(client, folder, failure="402")
        assert hit.failure[0] == f"CardError: {DECLINED}"
        stored = b"".join(file.read_bytes() for file in folder.iterdir())
        assert b"rot" not in stored
        assert b"declined" not in stored

    run(server, story, data_converter=encoding)


def test_server_dies_during_a_search(own_server: DevServer, monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """Hits found before are returned, then there is an error, and the index is intact."""
    monkeypatch.setattr(searching, "READ_AT_ONCE", 1)

    async def story(client: Client) -> None:
        async with worker(client):
            for number in range(4):
                await pays(client, f"order-{number}", DECLINED)
        await wait_for_closed_runs(client, 4)
        found: list[str] = []
        with pytest.raises(CannotAsk):  # noqa: PT012 - the first hits must come before it
            async for hit in Search(client, SearchQuery(failure="402"), folder=folder):
                if not found:
                    own_server.kill()
                found.append(hit.workflow_id)
        assert found[0] == "order-3"
        own_server.restart()
        again = Search(await Client.connect(own_server.address), SearchQuery(failure="402"), folder=folder)
        assert len([hit async for hit in again]) == 4

    run(own_server, story)


def test_the_index_belongs_to_the_server(server: SharedServer) -> None:
    """The key is the ids of server and namespace, not the address, which another server may get."""

    async def story(client: Client) -> None:
        system = await server.connect(namespace="temporal-system")
        (cluster, namespace), (same_cluster, other) = await identity(client), await identity(system)
        assert len(cluster) == len(namespace) == len(other) == 36
        assert (cluster, namespace != other) == (same_cluster, True)

    run(server, story)


def test_invalid_searches(server: SharedServer) -> None:
    """An unknown namespace and a query that the server rejects are different errors."""

    async def story(client: Client) -> None:
        elsewhere = await server.connect(namespace="nix")
        with pytest.raises(CannotAsk, match="there is no namespace nix"):
            await hits(elsewhere, text="a")
        with pytest.raises(OptionError, match="does not understand the query: nonsense ="):
            await hits(client, query="nonsense =")
        assert await hits(client, workflow_type="it's \\ 'odd'") == []

    run(server, story)


def test_a_search_that_ends_early_reads_nothing_more(server: SharedServer) -> None:
    """After the last requested hit no history is read, because the index may be closed by then."""

    async def story(client: Client) -> None:
        async with worker(client):
            await asyncio.gather(*(pays(client, f"many-{number}", "no", 2, what=Many.run) for number in range(12)))
        await wait_for_closed_runs(client, 12)
        before = asyncio.all_tasks()
        assert len(await hits(client, activity="charge", how={"limit": 1})) == 1
        assert asyncio.all_tasks() == before

    run(server, story)
