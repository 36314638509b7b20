"""Whether a build is drained: no open workflow is pinned to it, so its workers can be stopped."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime

from temporalio.api.workflow.v1 import WorkflowExecutionInfo
from temporalio.client import Client

from .calls import DeploymentCalls, unknown_build
from .errors import DeploymentRefused
from .model import NEVER_USED, VersionState
from .status import open_workflows_filter

EVERY_SECONDS = 1.0


@dataclass(frozen=True)
class Drainage:
    """How far a build is drained.

    Args:
        pinned: How many open workflows are pinned to it.
        checked: When the server last checked: every few minutes, in a dev server every second.
    """

    build: str
    state: VersionState
    pinned: int
    checked: datetime | None = None

    @property
    def done(self) -> bool:
        """Whether it is drained: the server says so, or it was never used and no workflow is pinned to it."""
        return self.state == "drained" or (self.state in NEVER_USED and not self.pinned)


async def watch_drainage(
    client: Client, name: str, build: str, *, every: float = EVERY_SECONDS
) -> AsyncIterator[Drainage]:
    """Yield the drainage of a build, `every` seconds; the last one is `done`.

    Raises:
        DeploymentRefused: The build is current or ramping, so it does not drain.
        DeploymentUnknown, BuildUnknown: The deployment or the build does not exist.
        CannotAsk: The server does not answer, or does not support worker deployments.
    """
    calls = DeploymentCalls(client)
    pinned = open_workflows_filter(name, [build], "Pinned")
    while True:
        deployment = await calls.deployment(name)
        version = deployment.version(build)
        if version is None:
            raise unknown_build(deployment, build)
        if build in (deployment.routing.current, deployment.routing.ramping):
            role = "current" if build == deployment.routing.current else "ramping"
            raise DeploymentRefused(
                f"the build {build} of {name} is {role}, so it does not drain", hint="make another build current first"
            )
        drainage = Drainage(build, version.state, await calls.count_workflows(pinned), version.drain_checked)
        yield drainage
        if drainage.done:
            return
        await asyncio.sleep(every)


async def pinned_workflows(client: Client, name: str, build: str, limit: int) -> list[WorkflowExecutionInfo]:
    """At most `limit` open workflows that are pinned to a build, the newest first."""
    query = open_workflows_filter(name, [build], "Pinned")
    return [info async for info in DeploymentCalls(client).list_workflows(query, limit)]
