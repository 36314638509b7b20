"""Looks at deployments: their builds, who works for them and what is open on each; changes nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable

from temporalio.client import Client

from ..history.calls import quoted
from .calls import DeploymentCalls
from .model import Deployment, Load, Queue, Status, Version

# A server allows few counts a second, so not many are asked at once.
AT_ONCE = 4
POLL_SECONDS = 0.05
NEVER_USED = ("created", "inactive")


async def find_deployment(client: Client, name: str) -> Deployment:
    """One deployment of the client's namespace.

    Raises:
        DeploymentUnknown: There is none of that name.
        CannotAsk: The server does not answer, or has no worker deployments.
    """
    return await DeploymentCalls(client).deployment(name)


async def find_status(client: Client, name: str | None = None) -> list[Status]:
    """The deployments of the client's namespace, by name, or the one, each build with its workers and open workflows.

    Costs three calls and one for each task queue of a build, four at a time.

    Raises:
        DeploymentUnknown: There is none of that name.
        CannotAsk: The server does not answer, or has no worker deployments.
    """
    calls = DeploymentCalls(client, at_once=AT_ONCE)
    names = await calls.names() if name is None else [name]
    return [await _status(calls, each) for each in names]


async def registered(client: Client, name: str, build: str, queues: Iterable[Queue]) -> AsyncIterator[bool]:
    """Look again and again, and yield whether workers of that build poll all these task queues, until they do.

    Raises:
        CannotAsk: The server does not answer, or has no worker deployments.
    """
    calls = DeploymentCalls(client)
    wanted = set(queues)
    while True:
        known = wanted.intersection(await calls.queues(name, build))
        polled = {each for each in known if await calls.workers(name, build, [each])}
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


def on_build(name: str, build: str, behaviour: str = "") -> str:
    """The list filter of the open workflows of a build; of one behaviour, if it is named."""
    query = f"TemporalWorkerDeploymentVersion = {quoted(f'{name}:{build}')} AND ExecutionStatus = 'Running'"
    return f"{query} AND TemporalWorkflowVersioningBehavior = '{behaviour}'" if behaviour else query


async def _status(calls: DeploymentCalls, name: str) -> Status:
    found = await calls.deployment(name)
    loads = await asyncio.gather(*(_load(calls, name, each) for each in found.versions))
    return Status(found, dict(zip(found.builds, loads, strict=True)))


async def _load(calls: DeploymentCalls, name: str, version: Version) -> Load:
    queues = await calls.queues(name, version.build)
    workers = await calls.workers(name, version.build, queues)
    if version.state in NEVER_USED and not await calls.count(on_build(name, version.build)):
        return Load(queues, workers)
    pinned = await calls.count(on_build(name, version.build, "Pinned"))
    return Load(queues, workers, pinned, await calls.count(on_build(name, version.build, "AutoUpgrade")))
