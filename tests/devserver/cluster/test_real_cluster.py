"""The real server with all roles on a real PostgreSQL: `make test-cluster`."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import uuid
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode
from temporalio.worker import Worker

from devserver.cluster import Cluster, ClusterControl
from devserver.system.paths import Paths
from tests.conftest import end_processes_of
from tests.helpers.built_server import home_with_server, require_built
from tests.helpers.checkout import ROOT
from tests.helpers.greet_later import GreetLater, greet
from tests.helpers.waiting import LIMIT

pytestmark = pytest.mark.cluster

QUEUE = "cluster-tests"


@pytest.fixture(scope="module")
def real_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClusterControl]:
    """A running cluster with two history processes; nothing is left of it."""
    require_built()
    home = tmp_path_factory.mktemp("real-cluster")
    with home_with_server(home):
        control = ClusterControl("real", Paths.default())
        with control.started(Cluster(), limit=LIMIT):
            yield control
    assert not end_processes_of(home)


async def start(client: Client, deadline: float = 2.0) -> str:
    """Start a workflow, within `deadline` seconds; its id."""
    name = f"greet-{uuid.uuid4()}"
    await client.start_workflow(
        GreetLater.run, "cluster", id=name, task_queue=QUEUE, rpc_timeout=timedelta(seconds=deadline)
    )
    return name


async def until_started(client: Client) -> str:
    """Start a workflow as soon as the cluster acknowledges one."""
    for _ in range(int(LIMIT)):
        try:
            return await start(client)
        except RPCError:
            await asyncio.sleep(0.2)
    raise AssertionError("no start was acknowledged")


def test_a_workflow_runs(real_cluster: ClusterControl) -> None:
    """A client and a worker need only the address of the cluster."""

    async def main() -> str:
        client = await Client.connect(real_cluster.ask("status")["address"])
        async with Worker(client, task_queue=QUEUE, workflows=[GreetLater], activities=[greet]):
            return str(await client.get_workflow_handle(await start(client, LIMIT)).result())

    assert asyncio.run(main()) == "Hello, cluster!"


SUITE = """
from tests.helpers.greet_later import GreetLater, greet


def test_greets(temporal):
    temporal.worker(workflows=[GreetLater], activities=[greet])
    assert temporal.execute(GreetLater.run, "Ada") == "Hello, Ada!"


def test_mocked(temporal):
    temporal.worker(workflows=[GreetLater], activities=[greet], mocks={greet: "Hi!"})
    assert temporal.execute(GreetLater.run, "Ada") == "Hi!"
"""


def test_a_suite_of_tests(real_cluster: ClusterControl, tmp_path: Path) -> None:
    """The plugin's external backend runs tests on a cluster; each is replayed."""
    (tmp_path / "test_greetings.py").write_text(SUITE)
    address = str(real_cluster.ask("status")["address"])
    words = ["--temporal-backend", "external", "--temporal-address", address, "-p", "no:cacheprovider"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *words, str(tmp_path)],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        timeout=LIMIT,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert "2 passed" in done.stdout


def test_both_history_processes_die(real_cluster: ClusterControl) -> None:
    """Starts are refused until they are started again, and what was acknowledged before completes."""

    async def main() -> list[str]:
        client = await Client.connect(real_cluster.ask("status")["address"])
        before = await start(client, LIMIT)
        await asyncio.to_thread(real_cluster.ask, "kill", member="history")
        with pytest.raises(RPCError) as caught:
            await start(client)
        assert caught.value.status in (
            *(RPCStatusCode.UNAVAILABLE, RPCStatusCode.DEADLINE_EXCEEDED, RPCStatusCode.CANCELLED),
        )
        await asyncio.to_thread(real_cluster.ask, "start", member="history")
        after = await until_started(client)
        async with Worker(client, task_queue=QUEUE, workflows=[GreetLater], activities=[greet]):
            return [await client.get_workflow_handle(each).result() for each in (before, after)]

    assert asyncio.run(main()) == ["Hello, cluster!"] * 2
    assert real_cluster.ask("status")["state"] == "ready"


def test_the_database_dies(real_cluster: ClusterControl) -> None:
    """Every process of the server still runs, and nothing is acknowledged until the database is back."""

    async def main() -> str:
        client = await Client.connect(real_cluster.ask("status")["address"])
        await until_started(client)
        status = await asyncio.to_thread(real_cluster.ask, "kill", member="postgres")
        assert [member["name"] for member in status["members"] if member["state"] != "running"] == ["postgres"]
        with pytest.raises(RPCError):
            await start(client)
        await asyncio.to_thread(real_cluster.ask, "start", member="postgres")
        name = await until_started(client)
        async with Worker(client, task_queue=QUEUE, workflows=[GreetLater], activities=[greet]):
            return str(await client.get_workflow_handle(name).result())

    assert asyncio.run(main()) == "Hello, cluster!"


def test_a_cluster_is_restarted_with_its_data(real_cluster: ClusterControl, tmp_path: Path) -> None:
    """Killed as a whole and started again, it has what it has acknowledged."""

    async def started() -> str:
        return await until_started(await Client.connect(real_cluster.ask("status")["address"]))

    async def completed(name: str) -> str:
        client = await Client.connect(real_cluster.ask("status")["address"])
        async with Worker(client, task_queue=QUEUE, workflows=[GreetLater], activities=[greet]):
            return str(await client.get_workflow_handle(name).result())

    name = asyncio.run(started())
    for member in ("postgres", "frontend", "history", "matching", "worker"):
        real_cluster.ask("kill", member=member)
    for member in ("postgres", "history", "frontend", "matching", "worker"):
        real_cluster.ask("start", member=member)
    asyncio.run(started())
    assert asyncio.run(completed(name)) == "Hello, cluster!"
