"""The status of deployments: their builds, the workers of each, and its open workflows. Changes nothing."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Iterable

from temporalio.client import Client

from ..client.list_filters import quote
from .calls import DeploymentCalls
from .model import Deployment, DeploymentStatus, VersionLoad, VersionTaskQueue

# A server allows few counts a second.
MAX_CONCURRENT = 4
POLL_SECONDS = 0.05


async def describe_deployment(client: Client, name: str) -> Deployment:
    """Describe a deployment of the client's namespace.

    Raises:
        DeploymentUnknown: The deployment does not exist.
        CannotAsk: The server does not answer, or does not support worker deployments.
    """
    return await DeploymentCalls(client).deployment(name)


async def deployment_statuses(client: Client, name: str | None = None) -> list[DeploymentStatus]:
    """The deployments of the client's namespace, or only the one with that `name`, with the load of each build.

    Makes one call for each build and each task queue, four at a time. A server allows few counts a second, so only
    builds with open workflows are counted one by one, with two calls each.

    Raises:
        DeploymentUnknown: The deployment does not exist.
        CannotAsk: The server does not answer, or does not support worker deployments.
    """
    calls = DeploymentCalls(client, max_concurrent=MAX_CONCURRENT)
    names = await calls.names() if name is None else [name]
    return [await _status(calls, deployment) for deployment in names]


async def watch_registration(
    client: Client, name: str, build: str, queues: Iterable[VersionTaskQueue]
) -> AsyncIterator[bool]:
    """Yield whether workers of a build poll all these task queues, until they do.

    Raises:
        CannotAsk: The server does not answer, or does not support worker deployments.
    """
    calls = DeploymentCalls(client)
    expected = set(queues)
    while True:
        known = expected.intersection(await calls.queues(name, build))
        polled = {queue for queue in known if build in await calls.workers(name, [queue])}
        yield polled == expected
        if polled == expected:
            return
        await asyncio.sleep(POLL_SECONDS)


async def wait_until_settled(calls: DeploymentCalls, name: str, limit: float) -> Deployment:
    """The deployment once all its task queues are updated, or as it is after `limit` seconds."""
    deadline = asyncio.get_running_loop().time() + limit
    while True:
        deployment = await calls.deployment(name)
        if deployment.settled or asyncio.get_running_loop().time() >= deadline:
            return deployment
        await asyncio.sleep(POLL_SECONDS)


def open_workflows_filter(name: str, builds: Iterable[str], behavior: str = "") -> str:
    """The list filter for open workflows of these builds; with a `behavior` (`Pinned`, `AutoUpgrade`) only those."""
    versions = ", ".join(quote(f"{name}:{build}") for build in builds)
    query = f"TemporalWorkerDeploymentVersion IN ({versions}) AND ExecutionStatus = 'Running'"
    return f"{query} AND TemporalWorkflowVersioningBehavior = '{behavior}'" if behavior else query


async def _status(calls: DeploymentCalls, name: str) -> DeploymentStatus:
    deployment = await calls.deployment(name)
    builds = deployment.builds
    queues = await asyncio.gather(*(calls.queues(name, build) for build in builds))
    workers = await calls.workers(name, set(itertools.chain.from_iterable(queues)))
    counts = await _count_open(calls, deployment)
    loads = (
        VersionLoad(of_build, workers.get(build, ()), *counts.get(build, (0, 0)))
        for build, of_build in zip(builds, queues, strict=True)
    )
    return DeploymentStatus(deployment, dict(zip(builds, loads, strict=True)))


async def _count_open(calls: DeploymentCalls, deployment: Deployment) -> dict[str, tuple[int, int]]:
    """The numbers of open workflows, pinned and AutoUpgrade, of each build that has any.

    Quiet builds mostly have none, so they are counted together first.
    """
    quiet = [version.build for version in deployment.versions if version.quiet]
    builds = [*(set(deployment.builds) - set(quiet)), *await _with_open(calls, deployment.name, quiet)]
    behaviors = ("Pinned", "AutoUpgrade")
    queries = [open_workflows_filter(deployment.name, [build], behavior) for build in builds for behavior in behaviors]
    counts = await asyncio.gather(*map(calls.count_workflows, queries))
    return {build: (counts[2 * at], counts[2 * at + 1]) for at, build in enumerate(builds)}


async def _with_open(calls: DeploymentCalls, name: str, builds: list[str]) -> list[str]:
    """The builds with open workflows: counts all of them together, and halves where there are some."""
    if not builds or not await calls.count_workflows(open_workflows_filter(name, builds)):
        return []
    if len(builds) == 1:
        return builds
    half = len(builds) // 2
    first, second = await asyncio.gather(*(_with_open(calls, name, part) for part in (builds[:half], builds[half:])))
    return [*first, *second]
