"""Whether a build is drained: no open workflow is pinned to it any more, so its workers may go."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime

from temporalio.api.workflow.v1 import WorkflowExecutionInfo
from temporalio.client import Client

from ..errors import DeploymentRefused
from .calls import DeploymentCalls, unknown_build
from .model import NEVER_USED, VersionState
from .status import open_workflows_filter

EVERY_SECONDS = 1.0


@dataclass(frozen=True)
class Drainage:
    """One look at a build that drains: how many open workflows are pinned to it.

    `checked` is when the server last looked itself: it does so every some minutes, in a dev server every second.
    """

    build: str
    state: VersionState
    pinned: int
    checked: datetime | None = None

    @property
    def done(self) -> bool:
        """Whether it is drained: the server says so, or nothing has ever been sent to it and nothing is pinned."""
        return self.state == "drained" or (self.state in NEVER_USED and not self.pinned)


async def watch_drainage(
    client: Client, name: str, build: str, *, every: float = EVERY_SECONDS
) -> AsyncIterator[Drainage]:
    """Look every so many seconds, and end with the look that finds the build drained.

    Raises:
        DeploymentRefused: The build is current or ramping, so it does not drain.
        DeploymentUnknown, BuildUnknown: There is none of that name.
        CannotAsk: The server does not answer, or has no worker deployments.
    """
    calls = DeploymentCalls(client)
    while True:
        found = await calls.deployment(name)
        version = found.version(build)
        if version is None:
            raise unknown_build(found, build)
        if build in (found.routing.current, found.routing.ramping):
            is_ = "current" if build == found.routing.current else "ramping"
            raise DeploymentRefused(
                f"the build {build} of {name} is {is_}, so it does not drain", hint="make another build current first"
            )
        looked = Drainage(
            build,
            version.state,
            await calls.count_workflows(open_workflows_filter(name, [build], "Pinned")),
            version.drain_checked,
        )
        yield looked
        if looked.done:
            return
        await asyncio.sleep(every)


async def pinned_workflows(client: Client, name: str, build: str, most: int) -> list[WorkflowExecutionInfo]:
    """At most `most` of the open workflows that are pinned to a build, the newest first."""
    return [
        each
        async for each in DeploymentCalls(client).list_workflows(open_workflows_filter(name, [build], "Pinned"), most)
    ]
