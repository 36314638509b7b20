"""Moves the work of a deployment from one build to another, and back; refuses what would strand workflows."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from temporalio.client import Client

from ..errors import DeploymentRefused, OptionError
from .calls import DeploymentCalls, first_of, unknown_build
from .model import Deployment, DeploymentVersion, Routing, VersionTaskQueue, build_name
from .status import POLL_SECONDS, settled

SETTLE_SECONDS = 10.0
POLL_WAIT_SECONDS = 1.0
# What the server remembers: of a worker with few polls it may not see each of the last minute.
MEMORY = timedelta(minutes=5)
FORCE_MISSING = "start its workers for them first, or force it with --ignore-missing-task-queues"
FORCE_UNPOLLED = "start one first, or force it with --allow-no-pollers"


@dataclass(frozen=True)
class RolloutChange:
    """What a change did: the routing before and after; `settled` is false if task queues still hear of it."""

    deployment: str
    before: Routing
    after: Routing
    settled: bool = True

    @property
    def happened(self) -> bool:
        """Whether anything changed."""
        return self.before != self.after


async def set_current(
    client: Client,
    name: str,
    build: str | None,
    *,
    seen: Deployment | None = None,
    ignore_missing_task_queues: bool = False,
    allow_no_pollers: bool = False,
) -> RolloutChange:
    """Make `build` current (None: workers without a version): new workflows and those that upgrade go there.

    A ramp to the same build is over then; one to another build goes on. Comes back when every task queue knows.

    Args:
        seen: Do it only if nothing has changed since this look.
        ignore_missing_task_queues: Do it though workers of the build have never polled a task queue of the current one.
        allow_no_pollers: Do it though no worker of the build polls now, or the build is not known yet.

    Raises:
        DeploymentUnknown, BuildUnknown: There is none of that name.
        DeploymentChanged: Somebody else was faster.
        DeploymentRefused: Work would be left without workers.
        CannotAsk: The server does not answer, or has no worker deployments.
    """
    calls = DeploymentCalls(client)
    seen = seen or await calls.deployment(name)
    if build != seen.routing.current:
        await _check(calls, seen, build, ignore_missing_task_queues, allow_no_pollers)
        await calls.set_current(seen, build, missing=ignore_missing_task_queues, unpolled=allow_no_pollers)
    return await _changed(calls, seen)


async def ramp(
    client: Client,
    name: str,
    build: str,
    percentage: float,
    *,
    seen: Deployment | None = None,
    ignore_missing_task_queues: bool = False,
    allow_no_pollers: bool = False,
) -> RolloutChange:
    """Send `percentage` (0 to 100) of the workflows to `build`, by a hash of their ids; the others stay.

    Arguments and errors are those of `set_current`; besides:

    Raises:
        OptionError: The percentage is out of range.
    """
    if not 0 <= percentage <= 100:
        raise OptionError(f"a ramp goes from 0 to 100 percent, not to {percentage:g}")
    calls = DeploymentCalls(client)
    seen = seen or await calls.deployment(name)
    if build == seen.routing.current:
        raise DeploymentRefused(
            f"{build} is the current build of {name}, so it cannot ramp", hint="ramp the build that shall replace it"
        )
    await _check(calls, seen, build, ignore_missing_task_queues, allow_no_pollers)
    await calls.set_ramping(seen, build, percentage, missing=ignore_missing_task_queues, unpolled=allow_no_pollers)
    return await _changed(calls, seen)


async def rollback(
    client: Client, name: str, *, seen: Deployment | None = None, allow_no_pollers: bool = False
) -> RolloutChange:
    """Take the last step of a rollout back.

    A ramp to a build that has never been current is ended: the current build has all the work again. Without a ramp,
    or where the ramp is the way back itself, the build that was current before becomes current.

    Raises:
        DeploymentRefused: Which build that was is not clear: the candidates are named; or no worker of it polls.
        Others: Those of `set_current`.
    """
    calls = DeploymentCalls(client)
    seen = seen or await calls.deployment(name)
    if _ramps_anew(seen):
        await calls.set_ramping(seen, None, 0, missing=True, unpolled=True)
        return await _changed(calls, seen)
    before = _previous(seen)
    if seen.routing.ramps and seen.routing.ramping != before.build:
        raise _unclear(seen, f"{build_name(seen.routing.ramping)} is ramping, which has been current earlier")
    # A task queue that is new in the build that goes must not keep anybody from going back.
    await _check(calls, seen, before.build, True, allow_no_pollers)
    await calls.set_current(seen, before.build, missing=True, unpolled=allow_no_pollers)
    return await _changed(calls, seen)


def _ramps_anew(seen: Deployment) -> bool:
    ramping = seen.version(seen.routing.ramping or "")
    return seen.routing.ramps and (ramping is None or ramping.last_current is None)


def _previous(seen: Deployment) -> DeploymentVersion:
    """The build whose work ended in the moment in which the current one began: the server keeps no more than that."""
    current = seen.version(seen.routing.current or "")
    if current is None:
        raise _unclear(seen, "the current workers have no version")
    handed_over = [each for each in seen.versions if each.last_current and each.deactivated == seen.current_since]
    ramping = seen.version(seen.routing.ramping or "")
    if ramping is not None and not handed_over:
        handed_over = [ramping]  # a build that ramps has no end of its work: the ramp is the way back
    if len(handed_over) != 1:
        raise _unclear(seen, "no build handed its work over to it directly")
    (before,) = handed_over
    if before.created and current.created and before.created > current.created:
        raise _unclear(seen, f"it took over from {before.build}, a later build, as if it was rolled back already")
    return before


def _unclear(seen: Deployment, why: str) -> DeploymentRefused:
    candidates = [each for each in seen.versions if each.last_current and each.build != seen.routing.current]
    candidates.sort(key=lambda each: str(each.last_current), reverse=True)
    be = "are" if seen.routing.current is None else "is"
    lines = [f"{each.build}: became current at {each.last_current:%Y-%m-%dT%H:%M:%SZ}" for each in candidates]
    return DeploymentRefused(
        f"what to roll {seen.name} back to is not clear: {build_name(seen.routing.current)} {be} current, and {why}",
        details=first_of(lines) or ["no other build of it has ever been current"],
        hint=f"say it: set-current {seen.name} BUILD" if lines else "nothing can be rolled back",
    )


async def _check(calls: DeploymentCalls, seen: Deployment, build: str | None, missing: bool, unpolled: bool) -> None:
    """What the server does not look at, or does not tell in full: known, polled now, and for all task queues."""
    if build is None:
        return
    if seen.version(build) is None and not unpolled:
        raise unknown_build(seen, build)
    queues = await calls.queues(seen.name, build)
    if not unpolled and not await _polled(calls, seen.name, build, queues):
        raise DeploymentRefused(
            f"no worker of the build {build} polls now, so its workflows would wait",
            details=[f"its task queues: {_told(queues)}"],
            hint=FORCE_UNPOLLED,
        )
    if seen.routing.current is not None and not missing:
        lacking = set(await calls.queues(seen.name, seen.routing.current)) - set(queues)
        if lacking:
            raise DeploymentRefused(
                f"no worker of the build {build} has polled these task queues of the current build"
                f" {seen.routing.current}: {_told(sorted(lacking))}",
                hint=FORCE_MISSING,
            )


async def _polled(calls: DeploymentCalls, name: str, build: str, queues: Sequence[VersionTaskQueue]) -> bool:
    """Whether a worker polls; one that has just started is known to its deployment a moment before."""
    deadline = asyncio.get_running_loop().time() + POLL_WAIT_SECONDS
    while build not in await calls.workers(name, queues, MEMORY):
        if asyncio.get_running_loop().time() >= deadline:
            return False
        await asyncio.sleep(POLL_SECONDS)
    return True


async def _changed(calls: DeploymentCalls, seen: Deployment) -> RolloutChange:
    now = await settled(calls, seen.name, SETTLE_SECONDS)
    return RolloutChange(seen.name, seen.routing, now.routing, now.settled)


def _told(queues: Sequence[VersionTaskQueue]) -> str:
    return ", ".join(f"{each.name} ({each.kind})" for each in queues) or "none"
