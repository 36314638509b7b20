"""Deployments on the real server: their status, rollouts between builds, and draining a build."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import cast

import pytest
import pytest_asyncio
from google.protobuf.timestamp_pb2 import Timestamp
from temporalio.api.deployment.v1 import WorkerDeploymentOptions
from temporalio.api.taskqueue.v1 import PollerInfo
from temporalio.client import Client

from devserver import DevServer
from devserver.deployments import (
    Deployment,
    DeploymentVersion,
    Drainage,
    Routing,
    VersionLoad,
    VersionTaskQueue,
    deployment_statuses,
    describe_deployment,
    pinned_workflows,
    ramp,
    rollback,
    set_current,
    watch_drainage,
)
from devserver.deployments.calls import DeploymentCalls
from devserver.deployments.errors import BuildUnknown, DeploymentChanged, DeploymentRefused, DeploymentUnknown
from devserver.errors import CannotAsk, OptionError
from devserver.executables.models import Executable
from tests.helpers.shared_server import SharedServer
from tests.helpers.versioned import DEPLOYMENT, QUEUE, Moves, Stays, serving

pytestmark = pytest.mark.asyncio
LIMIT = 120.0


@pytest_asyncio.fixture
async def client(server: SharedServer) -> AsyncIterator[Client]:
    """A client of a new namespace."""
    yield await server.connect()


async def test_rollout_and_rollback(client: Client) -> None:
    """Each change has the routing before and after; a rollback ends a ramp, or makes the previous build current."""
    async with serving(client, "1.0"), serving(client, "2.0"), serving(client, "3.0"):
        first = await set_current(client, DEPLOYMENT, "1.0")
        assert (first.before, first.after, first.settled) == (Routing(None), Routing("1.0"), True)
        ramping = await ramp(client, DEPLOYMENT, "2.0", 25)
        assert str(ramping.after) == "1.0 current, 2.0 ramping at 25%"
        ended = await rollback(client, DEPLOYMENT)
        assert (ended.before, ended.after) == (ramping.after, first.after)
        await ramp(client, DEPLOYMENT, "2.0", 100)
        assert (await set_current(client, DEPLOYMENT, "2.0")).after == Routing("2.0")
        assert not (await set_current(client, DEPLOYMENT, "2.0")).changed
        assert (await rollback(client, DEPLOYMENT)).after == Routing("1.0")
        with pytest.raises(DeploymentRefused, match=r"it replaced 2.0, a newer build") as error:
            await rollback(client, DEPLOYMENT)
        assert [line.split(":")[0] for line in error.value.details] == ["2.0"]
        await set_current(client, DEPLOYMENT, "3.0")
        await ramp(client, DEPLOYMENT, "1.0", 50)
        assert (await rollback(client, DEPLOYMENT)).after == Routing("1.0")


async def test_unclear_rollback_is_refused(client: Client) -> None:
    """A previous build is never guessed: for a first build, unversioned workers, or an earlier build that ramps."""
    async with serving(client, "1.0"), serving(client, "2.0"), serving(client, "3.0"):
        with pytest.raises(DeploymentRefused, match=r"unversioned workers are current.*have no version"):
            await rollback(client, DEPLOYMENT)
        await set_current(client, DEPLOYMENT, "1.0")
        with pytest.raises(DeploymentRefused, match="no build was current directly before it") as error:
            await rollback(client, DEPLOYMENT)
        assert error.value.details == ("no other build has ever been current",)
        await set_current(client, DEPLOYMENT, "2.0")
        await set_current(client, DEPLOYMENT, None)
        await set_current(client, DEPLOYMENT, "3.0")
        with pytest.raises(DeploymentRefused, match="no build was current directly before it") as error:
            await rollback(client, DEPLOYMENT)
        assert [line.split(":")[0] for line in error.value.details] == ["2.0", "1.0"]
        await set_current(client, DEPLOYMENT, "2.0")
        await set_current(client, DEPLOYMENT, "3.0")
        await ramp(client, DEPLOYMENT, "1.0", 5)
        with pytest.raises(DeploymentRefused, match=r"1\.0, which was current earlier, is ramping") as error:
            await rollback(client, DEPLOYMENT)
        assert "to end the ramp to 1.0 only: devserver temporal -- worker deployment" in str(error.value.hint)
        assert str((await describe_deployment(client, DEPLOYMENT)).routing) == "3.0 current, 1.0 ramping at 5%"


async def test_changes_that_strand_workflows_are_refused(client: Client) -> None:
    """Unknown names, task queues without pollers, stopped workers and conflicting changes are errors."""
    for name in ("", "a:b", "x" * 1001):
        with pytest.raises(DeploymentRefused, match=f"the server refuses the name '{name}'"):
            await describe_deployment(client, name)
    with pytest.raises(DeploymentUnknown, match="its deployments: none"):
        await set_current(client, DEPLOYMENT, "1.0")
    async with serving(client, "1.0", QUEUE, "parcels"), serving(client, "2.0"):
        before = await describe_deployment(client, DEPLOYMENT)
        with pytest.raises(DeploymentUnknown, match="did you mean shop"):
            await ramp(client, "shpo", "1.0", 5)
        with pytest.raises(BuildUnknown, match=r"(?s)its builds: 2\.0, 1\.0.*did you mean 1\.0"):
            await set_current(client, DEPLOYMENT, "1.00")
        with pytest.raises(OptionError, match="0 to 100"):
            await ramp(client, DEPLOYMENT, "2.0", 101)
        await set_current(client, DEPLOYMENT, "1.0", before=before)
        with pytest.raises(DeploymentChanged, match=r"(?s)before: unversioned workers current.*now: 1\.0 current"):
            await set_current(client, DEPLOYMENT, "2.0", before=before, ignore_missing_task_queues=True)
        with pytest.raises(DeploymentRefused, match=r"current build 1.0: parcels .workflow."):
            await ramp(client, DEPLOYMENT, "2.0", 10)
        with pytest.raises(DeploymentRefused, match=r"1.0 is the current build"):
            await ramp(client, DEPLOYMENT, "1.0", 10)
        await set_current(client, DEPLOYMENT, "2.0", ignore_missing_task_queues=True)
    with pytest.raises(DeploymentRefused, match=r"no worker of the build 1.0 is polling"):
        await rollback(client, DEPLOYMENT)
    assert (await rollback(client, DEPLOYMENT, allow_no_pollers=True)).after == Routing("1.0")
    assert (
        await set_current(client, DEPLOYMENT, "9.9", allow_no_pollers=True, ignore_missing_task_queues=True)
    ).after == Routing("9.9")


async def test_a_build_drains_when_its_last_pinned_workflow_ends(client: Client) -> None:
    """Pinned workflows keep a build from draining, AutoUpgrade workflows do not; the status counts both."""
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(serving(client, "1.0"))
        await set_current(client, DEPLOYMENT, "1.0")
        with pytest.raises(DeploymentRefused, match="is current, so it does not drain"):
            await anext(watch_drainage(client, DEPLOYMENT, "1.0"))
        stays = await client.start_workflow(Stays.run, id="stays", task_queue=QUEUE)
        moves = await client.start_workflow(Moves.run, id="moves", task_queue=QUEUE)
        await _counted(client, "1.0", (1, 1))
        await stack.enter_async_context(serving(client, "2.0"))
        assert (await anext(watch_drainage(client, DEPLOYMENT, "2.0"))).done
        await set_current(client, DEPLOYMENT, "2.0")
        states = watch_drainage(client, DEPLOYMENT, "1.0", every=0.1)
        first = await anext(states)
        assert (first.state, first.pinned, first.done) == ("draining", 1, False)
        assert [info.execution.workflow_id for info in await pinned_workflows(client, DEPLOYMENT, "1.0", 9)] == [
            "stays"
        ]
        await stays.signal(Stays.end)
        last = await asyncio.wait_for(_last(states), LIMIT)
        assert (last.state, last.pinned) == ("drained", 0)
        await moves.signal(Moves.end)
        await moves.result()


async def test_many_builds_cost_few_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    """Old builds are counted together, task queues are described once: a server may allow ten such calls a second."""
    old, calls = [str(number) for number in range(100)], Counter[str]()
    queues = (VersionTaskQueue("orders", "workflow"), VersionTaskQueue("orders", "activity"))
    open_on_7 = {"Pinned": 2, "AutoUpgrade": 1}

    async def deployment(_: DeploymentCalls, name: str) -> Deployment:
        versions = [DeploymentVersion("new", "current"), *(DeploymentVersion(build, "drained") for build in old)]
        return Deployment(name, Routing("new"), tuple(versions))

    async def queues_of(*_: object) -> tuple[VersionTaskQueue, ...]:
        return queues

    async def count(_: DeploymentCalls, query: str) -> int:
        calls["count"] += 1
        matching = [number for behavior, number in open_on_7.items() if f"'{behavior}'" in query]
        return sum(matching or open_on_7.values()) if "'shop:7'" in query else 0

    async def pollers(*_: object) -> list[PollerInfo]:
        calls["pollers"] += 1
        lately = Timestamp()
        lately.GetCurrentTime()
        version = WorkerDeploymentOptions(deployment_name=DEPLOYMENT, build_id="new")
        return [PollerInfo(identity="me", last_access_time=lately, deployment_options=version)]

    for name, function in (
        ("deployment", deployment),
        ("queues", queues_of),
        ("count_workflows", count),
        ("pollers", pollers),
    ):
        monkeypatch.setattr(DeploymentCalls, name, function)
    (found,) = await deployment_statuses(cast(Client, None), DEPLOYMENT)
    assert found.loads["7"] == VersionLoad(queues, (), 2, 1)
    assert found.loads["new"] == VersionLoad(queues, ("me",))
    assert [build for build in old if found.loads[build] != VersionLoad(queues)] == ["7"]
    assert calls["pollers"] == 2
    assert calls["count"] < 20


async def test_a_server_without_deployments(installed: Executable) -> None:
    """A server without worker deployments and an unknown namespace are different errors."""
    with DevServer.start(ui=False, dynamic_config={"system.enableDeploymentVersions": False}) as server:
        client = await Client.connect(server.address)
        with pytest.raises(CannotAsk, match="does not support worker deployments in the namespace default"):
            await deployment_statuses(client)
        client = await Client.connect(server.address, namespace="nowhere")
        with pytest.raises(CannotAsk, match="there is no namespace nowhere"):
            await set_current(client, DEPLOYMENT, "1.0")


async def _counted(client: Client, build: str, expected: tuple[int, int]) -> None:
    async def wait() -> None:
        while True:
            (found,) = await deployment_statuses(client, DEPLOYMENT)
            load = found.loads[build]
            if (load.pinned, load.auto_upgrade) == expected:
                assert len(load.workers) == 1
                return

    await asyncio.wait_for(wait(), LIMIT)


async def _last(states: AsyncIterator[Drainage]) -> Drainage:
    return [state async for state in states][-1]
