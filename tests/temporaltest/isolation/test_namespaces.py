"""Every test has its own namespace with the settings it requires, and leaves no running workflow."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest
from temporalio.client import Client

from devserver import DevServer
from devserver.executables.models import Executable
from temporaltest.errors import SetupError
from temporaltest.isolation import cleanup, namespaces
from tests.helpers.waiting import LIMIT, POLL_SECONDS
from tests.temporaltest.conftest import Suite, module_home, within

DAY = timedelta(days=1)


@pytest.fixture(scope="module")
def server(prepared: Executable, tmp_path_factory: pytest.TempPathFactory) -> Iterator[DevServer]:
    """A server for all tests of the module; each test uses a namespace with another name."""
    with module_home(prepared, tmp_path_factory) as home:
        with within(home):
            server = DevServer.start(ui=False)
        with server:
            yield server


def test_names_are_readable_and_unique() -> None:
    """The name of a namespace starts with the name of its test."""
    names = {namespaces.name_for("test_greets[Ada-1]") for _ in range(1000)}
    assert len(names) == 1000
    assert all(name.startswith("test-greets-ada-1-") for name in names)
    assert len(namespaces.name_for("x" * 500)) < 100
    assert namespaces.name_for("[]").startswith("test-")


def test_a_new_namespace_is_ready(server: DevServer) -> None:
    """It can be used at once, with its retention and search attributes."""

    async def main() -> None:
        client = await Client.connect(server.address)
        attributes = {"Customer": "Keyword", "Total": "Double"}
        name = namespaces.name_for("mine")
        await namespaces.create(client, name, retention=3 * DAY, search_attributes=attributes, limit=LIMIT)
        mine = await Client.connect(server.address, namespace=name)
        assert [execution async for execution in mine.list_workflows("Customer = 'Ada' AND Total > 3")] == []
        assert sorted(await namespaces.search_attributes_of(client, name)) == ["Customer", "Total"]
        found = await client.workflow_service.describe_namespace(DescribeNamespaceRequest(namespace=name))
        assert found.config.workflow_execution_retention_ttl.ToTimedelta() == 3 * DAY

    asyncio.run(main())


@pytest.mark.parametrize(
    ("attributes", "retention", "message"),
    [
        ({"Customer": "keyword"}, DAY, "unknown search attribute type 'keyword' (valid: Text, Keyword, Int"),
        ({f"Flag{n}": "Bool" for n in range(4)}, DAY, "at most 10 of type Keyword and 3 of each other type"),
        ({"BuildIds": "Keyword"}, DAY, "Search attribute BuildIds is reserved by system.\nTemporal uses this name"),
        ({}, timedelta(seconds=1), "Temporal rejects a namespace with a retention of 0:00:01"),
    ],
)
def test_invalid_settings(attributes: dict[str, str], retention: timedelta, message: str, server: DevServer) -> None:
    """The error for unknown types, exceeded limits and invalid retentions names the test's own arguments."""

    async def main() -> None:
        client = await Client.connect(server.address)
        name = namespaces.name_for("mine")
        await namespaces.create(client, name, retention=retention, search_attributes=attributes, limit=LIMIT)

    with pytest.raises(SetupError, match=re.escape(message)):
        asyncio.run(main())


@asynccontextmanager
async def _started(address: str, count: int) -> AsyncIterator[Client]:
    client = await Client.connect(address)
    name = namespaces.name_for("mine")
    await namespaces.create(client, name, retention=DAY, search_attributes={}, limit=LIMIT)
    mine = await Client.connect(address, namespace=name)
    limit = asyncio.Semaphore(50)

    async def start(number: int) -> None:
        async with limit:
            await mine.start_workflow("Nobody", id=f"w-{number}", task_queue="nobody")

    async def listed() -> None:
        while (await mine.count_workflows()).count < count:
            await asyncio.sleep(POLL_SECONDS)

    await asyncio.gather(*map(start, range(count)))
    await asyncio.wait_for(listed(), LIMIT)  # the server's list is a little behind
    yield mine


def test_workflows_are_terminated(server: DevServer) -> None:
    """After a test no open workflow is left in its namespace."""

    async def main() -> None:
        async with _started(server.address, 20) as mine:
            await cleanup.terminate_workflows(mine)
            assert (await mine.count_workflows("ExecutionStatus = 'Running'")).count == 0

    asyncio.run(main())


def test_cleaning_stops_at_its_limit(server: DevServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """A namespace with too many workflows to terminate in time is left as it is, without an error."""
    monkeypatch.setattr(cleanup, "CLEAN_SECONDS", 0.0)

    async def main() -> None:
        async with _started(server.address, 20) as mine:
            await cleanup.terminate_workflows(mine)
            assert (await mine.count_workflows("ExecutionStatus = 'Running'")).count > 0

    asyncio.run(main())


def test_delete_a_namespace(server: DevServer) -> None:
    """A deleted namespace is gone; a missing one, or one that may not be deleted, is not an error."""

    async def main() -> None:
        async with _started(server.address, 3) as mine:
            await cleanup.delete_namespace(mine, mine.namespace)
            await cleanup.delete_namespace(mine, mine.namespace)
            await cleanup.delete_namespace(mine, "temporal-system")

    asyncio.run(main())


def test_settings_of_the_mark(both_ways: Suite) -> None:
    """The test's namespace, and no other, has the retention and search attributes of the mark."""
    both_ways.tests(
        """
        from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest
        from temporalio.common import SearchAttributeKey, SearchAttributePair, TypedSearchAttributes

        CUSTOMER = SearchAttributeKey.for_keyword("Customer")

        @workflow.defn
        class Greet:
            @workflow.run
            async def run(self, name: str) -> str:
                return name

        @pytest.mark.temporal(search_attributes={"Customer": "Keyword"}, retention=timedelta(days=3))
        def test_settings(temporal):
            temporal.worker(workflows=[Greet])
            mine = TypedSearchAttributes([SearchAttributePair(CUSTOMER, "Ada")])
            temporal.execute(Greet.run, "Ada", search_attributes=mine)
            request = DescribeNamespaceRequest(namespace=temporal.namespace)
            found = temporal.run(temporal.client.workflow_service.describe_namespace(request))
            assert found.config.workflow_execution_retention_ttl.ToTimedelta() == timedelta(days=3)

        @pytest.mark.temporal(search_attributes={"Customer": "Int"})
        def test_other_settings(temporal):
            pass

        def test_none(temporal):
            async def look():
                return [each async for each in temporal.client.list_workflows("Customer = 'Ada'")]
            with pytest.raises(Exception, match="Customer"):
                temporal.run(look())
        """
    )
    both_ways.passes(passed=3)


def test_invalid_mark_fails_the_test(suite: Suite) -> None:
    """For an unknown type of search attribute, the error lists the known types."""
    suite.tests(
        """
        @pytest.mark.temporal(search_attributes={"Customer": "Name"})
        def test_settings(temporal):
            pass
        """
    )
    result = suite.run()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["unknown search attribute type 'Name' (valid: Text, Keyword*"])


def test_a_thousand_workflows_at_teardown(suite: Suite) -> None:
    """A test that leaves 1,000 open workflows is cleaned up as usual, and the next one has a fast server."""
    suite.tests(
        """
        @workflow.defn
        class Waits:
            @workflow.run
            async def run(self) -> None:
                await asyncio.sleep(600)

        @workflow.defn
        class Greet:
            @workflow.run
            async def run(self) -> str:
                return "Hello"

        def test_many(temporal):
            async def start():
                limit = asyncio.Semaphore(50)
                async def one(number):
                    async with limit:
                        await temporal.client.start_workflow(Waits.run, id=f"w-{number}", task_queue="nobody")
                await asyncio.gather(*map(one, range(1000)))
            temporal.run(start())

        def test_next(temporal):
            temporal.worker(workflows=[Greet])
            assert temporal.execute(Greet.run) == "Hello"
        """
    )
    suite.passes("--temporal-timeout=60", passed=2)
