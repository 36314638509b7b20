"""Which workflows are examined when there are many, filters, and servers that do not answer."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from temporalio.api.workflowservice.v1 import PauseWorkflowExecutionRequest
from temporalio.client import Client

from devserver import DevServer
from devserver.client.calls import ServiceCalls
from devserver.errors import CannotAsk, OptionError
from devserver.stuck import find_stuck
from devserver.stuck.candidates import Candidates, candidates
from tests.helpers.shared_server import SharedServer
from tests.helpers.trouble import Broken, Sleeps, worker

from .conftest import found
from .test_detector import run, start

MANY = 12


async def wait_for_workflows(client: Client, count: int) -> None:
    """Wait until the server lists this many workflows."""
    while (await client.count_workflows()).count < count:
        await asyncio.sleep(0.05)


async def chosen(found: Candidates) -> set[str]:
    """Return the workflow ids of candidates."""
    return {candidate.execution.workflow_id async for candidate in found.runs()}


def test_the_oldest_and_the_newest_of_many(server: SharedServer) -> None:
    """The limit selects the oldest and the newest workflows, and paused ones; the report has the total."""

    async def story(client: Client) -> None:
        for number in range(MANY):
            await start(client, Sleeps.run, 0.0, id=f"w-{number}")
        await wait_for_workflows(client, MANY)
        request = PauseWorkflowExecutionRequest(namespace=client.namespace, workflow_id="w-5", request_id="1")
        await client.workflow_service.pause_workflow_execution(request)
        await found(client, "workflow_paused")
        some = await candidates(ServiceCalls(client), None, 5)
        assert await chosen(some) == {"w-0", "w-1", "w-5", "w-10", "w-11"}
        assert some.open == MANY
        report = await find_stuck(client, limit=5)
        assert (report.open, report.examined, report.complete) == (MANY, 5, False)
        assert [finding.kind for finding in report.findings] == ["no_worker", "workflow_paused"]
        assert (await find_stuck(client, limit=MANY)).complete

    run(server, story)


def test_workflows_marked_by_the_server_are_examined(server: SharedServer) -> None:
    """A failing workflow among many others is examined within a small limit."""

    async def story(client: Client) -> None:
        for number in range(MANY):
            await start(
                client, Broken.run if number == 5 else Sleeps.run, *([] if number == 5 else [0.0]), id=f"w-{number}"
            )
        async with worker(client):
            finding = await found(client, "workflow_task_failing", limit=2)
            assert finding.workflow_id == "w-5"

    run(server, story)


def test_query(server: SharedServer) -> None:
    """Only matching workflows are counted and examined; an invalid query is an error with the server's message."""

    async def story(client: Client) -> None:
        await start(client, Sleeps.run, 0.0, id="sleeps")
        await start(client, Broken.run, id="broken")
        await wait_for_workflows(client, 2)
        report = await find_stuck(client, query="WorkflowType = 'Sleeps' OR WorkflowType = 'Nothing'")
        assert (report.open, report.examined) == (1, 1)
        assert [finding.workflow_id for finding in report.findings] == ["sleeps"]
        with pytest.raises(OptionError, match=r"does not understand the query: Nonsense = 1\n") as caught:
            await find_stuck(client, query="Nonsense = 1")
        assert "Nonsense" in caught.value.details[0]

    run(server, story)


def test_namespaces_are_separate(server: SharedServer) -> None:
    """The report covers the client's namespace only."""

    async def story(shop: Client) -> None:
        other = await server.connect(namespace="default")
        await start(shop, Sleeps.run, 0.0, id="sleeps")
        await found(shop, "no_worker")
        report = await find_stuck(other)
        assert (report.namespace, report.findings) == ("default", ())

    run(server, story)


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ({"workflow_id": "nix"}, "there is no workflow nix in the namespace test-"),
        ({}, "there is no namespace nix at"),
    ],
)
def test_unknown_workflow_and_namespace(server: SharedServer, how: dict[str, Any], message: str) -> None:
    """They are an error, not an empty report."""

    async def story(client: Client) -> None:
        client = client if how else await server.connect(namespace="nix")
        with pytest.raises(CannotAsk, match=message):
            await find_stuck(client, **how)

    run(server, story)


def test_server_restart(own_server: DevServer) -> None:
    """The error names the server's address; the same client works once the server is back."""

    async def story(client: Client) -> None:
        await start(client, Sleeps.run, 0.0, id="sleeps")
        await asyncio.to_thread(own_server.kill)
        with pytest.raises(CannotAsk, match=f"the Temporal server at {own_server.address} does not answer"):
            await find_stuck(client)
        await asyncio.to_thread(own_server.restart)
        assert (await find_stuck(client, workflow_id="sleeps")).stuck

    run(own_server, story)


def test_lazy_client_without_a_server() -> None:
    """A client that connects on its first call gets our error, with the cause."""

    async def look() -> None:
        client = await Client.connect("127.0.0.1:1", lazy=True)
        with pytest.raises(CannotAsk, match=r"^cannot connect to 127\.0\.0\.1:1: Connection refused"):
            await find_stuck(client)

    asyncio.run(look())


@pytest.mark.parametrize("how", [{"limit": 0}, {"max_concurrent": 0}])
def test_invalid_numbers(server: SharedServer, how: dict[str, int]) -> None:
    """They are refused before the server is called."""

    async def story(client: Client) -> None:
        with pytest.raises(OptionError, match="at least one workflow"):
            await find_stuck(client, **how)  # type: ignore[arg-type] # mypy joins them with the other keywords

    run(server, story)


def test_concurrent_calls_are_limited(server: SharedServer) -> None:
    """Many workflows do not cause more simultaneous calls than the limit."""

    async def story(client: Client) -> None:
        for number in range(MANY):
            await start(client, Sleeps.run, 0.0, id=f"w-{number}")
        await wait_for_workflows(client, MANY)
        most = now = 0

        async def one(_: object, **__: object) -> None:
            nonlocal most, now
            now += 1
            most = max(most, now)
            await asyncio.sleep(0.01)
            now -= 1

        calls = ServiceCalls(client, max_concurrent=3)
        await asyncio.gather(*(calls.call(one, None) for _ in range(MANY)))
        assert most == 3

    run(server, story)
