"""Looks at deployments: their builds, who works for them and what is open on each; changes nothing."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Iterable

from temporalio.client import Client

from ..client.list_filters import quote
from .calls import DeploymentCalls
from .model import Deployment, DeploymentStatus, VersionLoad, VersionTaskQueue

# A server allows few counts a second, so not many are asked at once.
AT_ONCE = 4
POLL_SECONDS = 0.05


async def describe_deployment(client: Client, name: str) -> Deployment:
    """One deployment of the client's namespace.

    Raises:
        DeploymentUnknown: There is none of that name.
        CannotAsk: The server does not answer, or has no worker deployments.
    """
    return await DeploymentCalls(client).deployment(name)


async def deployment_statuses(client: Client, name: str | None = None) -> list[DeploymentStatus]:
    """The deployments of the client's namespace, by name, or the one, each build with its workers and open workflows.

    Costs a call for each build and each task queue, and, because servers allow few of these a second, two counts only
    for each build that has open workflows; four calls at a time.

    Raises:
        DeploymentUnknown: There is none of that name.
        CannotAsk: The server does not answer, or has no worker deployments.
    """
    calls = DeploymentCalls(client, max_concurrent=AT_ONCE)
    names = await calls.names() if name is None else [name]
    return [await _status(calls, each) for each in names]


async def watch_registration(
    client: Client, name: str, build: str, queues: Iterable[VersionTaskQueue]
) -> AsyncIterator[bool]:
    """Look again and again, and yield whether workers of that build poll all these task queues, until they do.

    Raises:
        CannotAsk: The server does not answer, or has no worker deployments.
    """
    calls = DeploymentCalls(client)
    wanted = set(queues)
    while True:
        known = wanted.intersection(await calls.queues(name, build))
        polled = {each for each in known if build in await calls.workers(name, [each])}
        yield polled == wanted
        if polled == wanted:
            return
        await asyncio.sleep(POLL_SECONDS)


async def settled(calls: DeploymentCalls, name: str, limit: float) -> Deployment:
    """The deployment once every task queue knows of its last change, or as it is after `limit` seconds."""
    deadline = asyncio.get_running_loop().time() + limit
    while True:
        found = await calls.deployment(name)
        if found.settled or asyncio.get_running_loop().time() >= deadline:
            return found
        await asyncio.sleep(POLL_SECONDS)


def open_workflows_filter(name: str, builds: Iterable[str], behaviour: str = "") -> str:
    """The list filter of the open workflows of these builds; of one behaviour, if it is named."""
    versions = ", ".join(quote(f"{name}:{each}") for each in builds)
    query = f"TemporalWorkerDeploymentVersion IN ({versions}) AND ExecutionStatus = 'Running'"
    return f"{query} AND TemporalWorkflowVersioningBehavior = '{behaviour}'" if behaviour else query


async def _status(calls: DeploymentCalls, name: str) -> DeploymentStatus:
    found = await calls.deployment(name)
    queues = await asyncio.gather(*(calls.queues(name, build) for build in found.builds))
    workers = await calls.workers(name, set(itertools.chain.from_iterable(queues)))
    counts = await _open(calls, found)
    loads = (
        VersionLoad(of_build, workers.get(build, ()), *counts.get(build, (0, 0)))
        for build, of_build in zip(found.builds, queues, strict=True)
    )
    return DeploymentStatus(found, dict(zip(found.builds, loads, strict=True)))


async def _open(calls: DeploymentCalls, found: Deployment) -> dict[str, tuple[int, int]]:
    """How many workflows are open on each build that has any: pinned, and those that upgrade.

    Quiet builds mostly have none, so they are asked about together.
    """
    quiet = [each.build for each in found.versions if each.quiet]
    with_any = [*(set(found.builds) - set(quiet)), *await _with_any(calls, found.name, quiet)]
    behaviours = ("Pinned", "AutoUpgrade")
    queries = [open_workflows_filter(found.name, [build], behaviour) for build in with_any for behaviour in behaviours]
    counts = await asyncio.gather(*map(calls.count_workflows, queries))
    return {build: (counts[2 * at], counts[2 * at + 1]) for at, build in enumerate(with_any)}


async def _with_any(calls: DeploymentCalls, name: str, builds: list[str]) -> list[str]:
    """Those of the builds that have open workflows: asks for all at once, and for halves where there are some."""
    if not builds or not await calls.count_workflows(open_workflows_filter(name, builds)):
        return []
    if len(builds) == 1:
        return builds
    half = len(builds) // 2
    first, second = await asyncio.gather(*(_with_any(calls, name, part) for part in (builds[:half], builds[half:])))
    return [*first, *second]
